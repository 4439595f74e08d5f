/* Stands before the C library (LD_PRELOAD) and lets the disk fail, be slow, and the clock jump, as a control file says while the program runs.
   It acts on files below BREAK_FOLDER alone. Reads through mmap pass it by. See shim.py for who writes the control file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { WRITE_FAILS, FLUSH_FAILS, READ_FAILS, WRITE_IS_SHORT, FLUSH_MICROSECONDS, CLOCK_SECONDS, SEED, COUNT_OF_CONTROLS };
/* Faults are asked for per million calls; how many were made follows the controls, in the same order. */
static _Atomic int64_t *control;
static const char *folder;
static _Atomic uint64_t calls;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("BREAK_CONTROL");
  folder = getenv("BREAK_FOLDER");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) control = mapped;
}

static int64_t setting(int which) { return control ? atomic_load(&control[which]) : 0; }

static int is_ours(int fd) {
  char link[64], path[1024];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0 || !folder) return 0;
  path[length] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}

/* splitmix64 of the seed and the number of the call. */
static int happens(int which, int fd) {
  int64_t rate = setting(which);
  if (rate == 0 || !is_ours(fd)) return 0;
  uint64_t x = (uint64_t)setting(SEED) + 0x9e3779b97f4a7c15u * (atomic_fetch_add(&calls, 1) + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  if ((int64_t)((x ^ (x >> 31)) % 1000000) >= rate) return 0;
  atomic_fetch_add(&control[COUNT_OF_CONTROLS + which], 1);
  return 1;
}

#define NEXT(name) \
  static typeof(&name) next; \
  if (!next) next = (typeof(&name))dlsym(RTLD_NEXT, #name)

#define WRITES(signature, name, ...) \
  signature { \
    NEXT(name); \
    if (happens(WRITE_FAILS, fd)) { errno = EIO; return -1; } \
    if (size > 1 && happens(WRITE_IS_SHORT, fd)) size /= 2; \
    return next(__VA_ARGS__); \
  }
#define READS(signature, name, ...) \
  signature { \
    NEXT(name); \
    if (happens(READ_FAILS, fd)) { errno = EIO; return -1; } \
    return next(__VA_ARGS__); \
  }
#define FLUSHES(name) \
  int name(int fd) { \
    NEXT(name); \
    int64_t pause = setting(FLUSH_MICROSECONDS); \
    if (pause && is_ours(fd)) { \
      atomic_fetch_add(&control[COUNT_OF_CONTROLS + FLUSH_MICROSECONDS], 1); \
      usleep((useconds_t)pause); \
    } \
    if (happens(FLUSH_FAILS, fd)) { errno = EIO; return -1; } \
    return next(fd); \
  }

WRITES(ssize_t write(int fd, const void *bytes, size_t size), write, fd, bytes, size)
WRITES(ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at), pwrite, fd, bytes, size, at)
WRITES(ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at), pwrite64, fd, bytes, size, at)
READS(ssize_t read(int fd, void *bytes, size_t size), read, fd, bytes, size)
READS(ssize_t pread(int fd, void *bytes, size_t size, off_t at), pread, fd, bytes, size, at)
READS(ssize_t pread64(int fd, void *bytes, size_t size, off64_t at), pread64, fd, bytes, size, at)
FLUSHES(fsync)
FLUSHES(fdatasync)

/* The clock on the wall. That of durations goes on as it does when somebody sets the other. */

int clock_gettime(clockid_t clock, struct timespec *time) {
  NEXT(clock_gettime);
  int result = next(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += setting(CLOCK_SECONDS);
  return result;
}

int gettimeofday(struct timeval *time, void *zone) {
  NEXT(gettimeofday);
  int result = next(time, zone);
  if (result == 0) time->tv_sec += setting(CLOCK_SECONDS);
  return result;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

/* Whoever waits until a moment of the clock on the wall waits by the real one. Moments of the other clock are seconds since the machine started. */
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  if (!next) next = (typeof(next))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  struct timespec real = *until, passed;
  clock_gettime(CLOCK_MONOTONIC, &passed);
  int64_t far = until->tv_sec - passed.tv_sec;
  if (far < -1000000 || far > 1000000) real.tv_sec -= setting(CLOCK_SECONDS);
  return next(condition, mutex, &real);
}
