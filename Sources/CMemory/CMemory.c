#include "CMemory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>

void conurb_prepare_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 19);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    mallopt(M_ARENA_MAX, cores > 2 ? (int)cores : 2);
}

void conurb_return_free_memory(void) { malloc_trim(0); }
#else
void conurb_prepare_memory(void) {}
void conurb_return_free_memory(void) {}
#endif

long conurb_resident_bytes(void) {
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}
