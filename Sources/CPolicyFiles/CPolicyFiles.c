// The files of policies/ as bytes of the program. A file that is added there is added here, in two places; PolicyTests compares both.
#include "CPolicyFiles.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_default_yaml[] = {
#embed "../../policies/default.yaml"
};
static const unsigned char file_default_tests_yaml[] = {
#embed "../../policies/default.tests.yaml"
};
static const unsigned char file_purposes_yaml[] = {
#embed "../../policies/purposes.yaml"
};

#define FILE_ENTRY(name, bytes) {name, bytes, sizeof bytes}

static const conurb_policy_file files[] = {
    FILE_ENTRY("default.tests.yaml", file_default_tests_yaml),
    FILE_ENTRY("default.yaml", file_default_yaml),
    FILE_ENTRY("purposes.yaml", file_purposes_yaml),
};

size_t conurb_policy_file_count(void) { return sizeof files / sizeof files[0]; }
conurb_policy_file conurb_policy_file_at(size_t index) { return files[index]; }
