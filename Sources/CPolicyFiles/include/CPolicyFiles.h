#ifndef CONURB_POLICY_FILES_H
#define CONURB_POLICY_FILES_H

#include <stddef.h>

// One file of the shipped policy. Bytes and name live as long as the program.
typedef struct {
    const char *name; // within policies
    const unsigned char *bytes;
    size_t count;
} conurb_policy_file;

size_t conurb_policy_file_count(void);
// `index` is less than the count.
conurb_policy_file conurb_policy_file_at(size_t index);

#endif
