/* Serves the main queue of libdispatch from a main thread that stays, where libdispatch ends that thread: valgrind 3.19 does not survive its end.
 * To be preloaded. */
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

extern int _dispatch_get_main_queue_handle_4CF(void);
extern void _dispatch_main_queue_callback_4CF(void *message);

__attribute__((noreturn)) void dispatch_main(void) {
    struct pollfd queue = {.fd = _dispatch_get_main_queue_handle_4CF(), .events = POLLIN};
    for (;;) {
        uint64_t count;
        if (poll(&queue, 1, -1) > 0 && read(queue.fd, &count, sizeof count) > 0) _dispatch_main_queue_callback_4CF(0);
    }
}
