// The files of policies/ and examples/services/ as bytes of the program. A file that is added there is added here, in two places; tests compare both.
#include "CDeclarationFiles.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_policies_default_tests_yaml[] = {
#embed "../../policies/default.tests.yaml"
};
static const unsigned char file_policies_default_yaml[] = {
#embed "../../policies/default.yaml"
};
static const unsigned char file_policies_purposes_yaml[] = {
#embed "../../policies/purposes.yaml"
};
static const unsigned char file_services_accessibility_barrier_yaml[] = {
#embed "../../examples/services/accessibility-barrier.yaml"
};
static const unsigned char file_services_graffiti_yaml[] = {
#embed "../../examples/services/graffiti.yaml"
};
static const unsigned char file_services_grant_application_yaml[] = {
#embed "../../examples/services/grant-application.yaml"
};
static const unsigned char file_services_noise_yaml[] = {
#embed "../../examples/services/noise.yaml"
};
static const unsigned char file_services_parking_permit_yaml[] = {
#embed "../../examples/services/parking-permit.yaml"
};
static const unsigned char file_services_pothole_yaml[] = {
#embed "../../examples/services/pothole.yaml"
};
static const unsigned char file_services_stop_yaml[] = {
#embed "../../examples/services/stop.yaml"
};
static const unsigned char file_services_street_light_yaml[] = {
#embed "../../examples/services/street-light.yaml"
};
static const unsigned char file_services_waste_yaml[] = {
#embed "../../examples/services/waste.yaml"
};

#define FILE_ENTRY(name, bytes) {name, bytes, sizeof bytes}

static const conurb_declaration_file files[] = {
    FILE_ENTRY("policies/default.tests.yaml", file_policies_default_tests_yaml),
    FILE_ENTRY("policies/default.yaml", file_policies_default_yaml),
    FILE_ENTRY("policies/purposes.yaml", file_policies_purposes_yaml),
    FILE_ENTRY("services/accessibility-barrier.yaml", file_services_accessibility_barrier_yaml),
    FILE_ENTRY("services/graffiti.yaml", file_services_graffiti_yaml),
    FILE_ENTRY("services/grant-application.yaml", file_services_grant_application_yaml),
    FILE_ENTRY("services/noise.yaml", file_services_noise_yaml),
    FILE_ENTRY("services/parking-permit.yaml", file_services_parking_permit_yaml),
    FILE_ENTRY("services/pothole.yaml", file_services_pothole_yaml),
    FILE_ENTRY("services/stop.yaml", file_services_stop_yaml),
    FILE_ENTRY("services/street-light.yaml", file_services_street_light_yaml),
    FILE_ENTRY("services/waste.yaml", file_services_waste_yaml),
};

size_t conurb_declaration_file_count(void) { return sizeof files / sizeof files[0]; }
conurb_declaration_file conurb_declaration_file_at(size_t index) { return files[index]; }
