#ifndef CONURB_DECLARATION_FILES_H
#define CONURB_DECLARATION_FILES_H

#include <stddef.h>

// One file in YAML that comes with the program. Bytes and name live as long as the program.
typedef struct {
    const char *name; // such as policies/default.yaml
    const unsigned char *bytes;
    size_t count;
} conurb_declaration_file;

size_t conurb_declaration_file_count(void);
// `index` is less than the count.
conurb_declaration_file conurb_declaration_file_at(size_t index);

#endif
