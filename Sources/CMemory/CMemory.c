#include "CMemory.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

void conurb_return_large_memory(void) { mallopt(M_MMAP_THRESHOLD, 1 << 19); }
#else
void conurb_return_large_memory(void) {}
#endif
