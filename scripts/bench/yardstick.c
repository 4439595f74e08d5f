// The yardstick of writes: what SQLite itself takes to insert documents, in one transaction, flushed to disk at its end.
//
//     cc -O2 -o yardstick scripts/bench/yardstick.c -lsqlite3
//     ./yardstick new.sqlite documents      prints documents, seconds and those of the processor; `documents` has one a line
//     ./yardstick --flush file              prints the median microseconds of appending 4,096 bytes and fdatasync, of 101
//
// The file is read and the table is made before the clock starts. The key is the number of the line in 12 digits, so that it is
// inserted in order, which is the cheapest for SQLite.
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_COUNT = 101, PAGE_BYTES = 4096 };

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "yardstick: %s\n", what);
    exit(1);
}

static int ascending(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static int flush_time(const char *path) {
    static char page[PAGE_BYTES];
    double times[FLUSH_COUNT];
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) fail("cannot write the file");
    for (int number = 0; number < FLUSH_COUNT; number++) {
        double started = seconds(CLOCK_MONOTONIC);
        if (write(file, page, PAGE_BYTES) != PAGE_BYTES || fdatasync(file) != 0) fail("cannot flush the file");
        times[number] = seconds(CLOCK_MONOTONIC) - started;
    }
    close(file);
    qsort(times, FLUSH_COUNT, sizeof times[0], ascending);
    printf("%.1f\n", times[FLUSH_COUNT / 2] * 1e6);
    return 0;
}

static char *contents(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) fail("cannot read the documents");
    *length = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*length + 1);
    if (!text || fread(text, 1, *length, file) != *length) fail("cannot read the documents");
    fclose(file);
    return text;
}

static void run(sqlite3 *database, const char *sql) {
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) fail(sqlite3_errmsg(database));
}

int main(int count, char **arguments) {
    if (count != 3) fail("usage: yardstick new.sqlite documents | yardstick --flush file");
    if (strcmp(arguments[1], "--flush") == 0) return flush_time(arguments[2]);

    size_t length;
    char *text = contents(arguments[2], &length), *end = text + length;
    sqlite3 *database;
    sqlite3_stmt *insert;
    if (sqlite3_open(arguments[1], &database) != SQLITE_OK) fail(sqlite3_errmsg(database));
    run(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    run(database, "CREATE TABLE entity (identifier TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID");
    if (sqlite3_prepare_v2(database, "INSERT INTO entity VALUES (?, ?)", -1, &insert, NULL) != SQLITE_OK) fail(sqlite3_errmsg(database));

    double started = seconds(CLOCK_MONOTONIC), busy = seconds(CLOCK_PROCESS_CPUTIME_ID);
    long number = 0;
    char identifier[32];
    run(database, "BEGIN IMMEDIATE");
    for (char *line = text; line < end; number++) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) newline = end;
        int bytes = snprintf(identifier, sizeof identifier, "%012ld", number);
        sqlite3_bind_text(insert, 1, identifier, bytes, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, line, (int)(newline - line), SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK) fail(sqlite3_errmsg(database));
        line = newline + 1;
    }
    run(database, "COMMIT");
    printf("%ld %.6f %.6f\n", number, seconds(CLOCK_MONOTONIC) - started, seconds(CLOCK_PROCESS_CPUTIME_ID) - busy);
    sqlite3_finalize(insert);
    sqlite3_close(database);
    return 0;
}
