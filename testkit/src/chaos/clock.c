/* A wall clock that can be set: preloaded, it adds to the real one what a file says, and that file is mapped, so that a
 * step takes effect at once. Each part of a fleet has a file of its own, found by the first argument of its program.
 * Every other clock is left alone: a step of the wall clock does not touch those either. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_seconds;

__attribute__((constructor)) static void find_offset(void) {
    const char *folder = getenv("FLOTILLA_CHAOS_CLOCKS");
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (!folder || file < 0) return;
    char words[4096] = {0};
    ssize_t length = read(file, words, sizeof words - 2);
    close(file);
    if (length <= 0) return;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, words + strlen(words) + 1);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *offset_seconds, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) offset_seconds = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && offset_seconds && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *offset_seconds;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    if (!now || clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
