#ifndef CONURB_SITE_FILES_H
#define CONURB_SITE_FILES_H

#include <stddef.h>

// One file of the pages. Bytes and path live as long as the program.
typedef struct {
    const char *path; // within Sources/Site/Resources
    const unsigned char *bytes;
    size_t count;
} conurb_site_file;

size_t conurb_site_file_count(void);
// `index` is less than the count.
conurb_site_file conurb_site_file_at(size_t index);

#endif
