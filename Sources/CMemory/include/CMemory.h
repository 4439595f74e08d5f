#ifndef CONURB_MEMORY_H
#define CONURB_MEMORY_H

// Gives memory that is allocated in pieces of half a megabyte and more back to the operating system when it is freed. Left to itself glibc's allocator raises
// that border to what was freed last, and keeps it for good on each of its threads. Does nothing with other allocators.
void conurb_return_large_memory(void);

#endif
