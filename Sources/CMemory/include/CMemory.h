#ifndef CONURB_MEMORY_H
#define CONURB_MEMORY_H

// What the allocator of the C library does with memory. With other allocators than glibc's nothing of it happens.

// Gives memory that is allocated in pieces of half a megabyte and more back to the operating system when it is freed: left to itself the allocator raises
// that border to what was freed last, and keeps it for good. And has threads share as many heaps as there are cores, where otherwise each of eight times as many
// keeps what was free in it. To be called before threads begin.
void conurb_prepare_memory(void);

// Gives back whole pages that are free in the midst of heaps. Takes milliseconds for each ten megabytes that are.
void conurb_return_free_memory(void);

// What the process has in memory; 0 where the system does not say.
long conurb_resident_bytes(void);

#endif
