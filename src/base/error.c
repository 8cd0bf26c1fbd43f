#include "base/error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tls.h"

typedef struct {
    ErrorKind kind;
    char message[ERROR_MESSAGE_MAX + 1];
} ErrorRecord;

/* Used where not even a record can be had; has_error then says that the thread is poisoned. */
static const char no_record_message[] = "out of memory: no room to say which error came first";

static THREAD_LOCAL ErrorRecord *record;
static THREAD_LOCAL bool has_error;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void free_record(void *p) {
    record = NULL;
    free(p);
}

/* Without a key a thread's record is lost when it ends, which is the lesser harm. */
static void make_key(void) {
    if (pthread_key_create(&key, free_record) != 0) {
        key = (pthread_key_t)-1;
    }
}

/* The thread's record, made at its first error. It comes from the C library and not from the
 * engine's allocator, whose failures it has to describe. NULL if there is no memory. */
static ErrorRecord *get_record(void) {
    if (!record) {
        record = malloc(sizeof *record);
        if (record) {
            pthread_once(&key_once, make_key);
            if (key != (pthread_key_t)-1) {
                pthread_setspecific(key, record);
            }
        }
    }
    return record;
}

/* Cuts a sequence of UTF-8 bytes that the end of the buffer has split. */
static void drop_partial_character(char *message) {
    size_t end = ERROR_MESSAGE_MAX, start = end;
    while (start > end - 4 && ((unsigned char)message[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    unsigned char lead = (unsigned char)message[start - 1];
    size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (end - start + 1 < wanted) {
        message[start - 1] = '\0';
    }
}

static void record_error(ErrorKind kind, const char *fmt, va_list args) {
    if (has_error) {
        return;
    }
    has_error = true;
    ErrorRecord *r = get_record();
    if (!r) {
        return;
    }
    r->kind = kind == ERR_NONE ? ERR_GENERIC : kind;
    int length = vsnprintf(r->message, sizeof r->message, fmt, args);
    if (length < 0) {
        snprintf(r->message, sizeof r->message, "an error whose text cannot be formatted: %s", fmt);
    } else if (length > ERROR_MESSAGE_MAX) {
        drop_partial_character(r->message);
    }
}

void error_record(ErrorKind kind, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    record_error(kind, fmt, args);
    va_end(args);
}

const char *error_message(void) {
    if (!has_error) {
        return NULL;
    }
    return record ? record->message : no_record_message;
}

ErrorKind error_kind(void) {
    if (!has_error) {
        return ERR_NONE;
    }
    return record ? record->kind : ERR_MEMORY;
}

void error_put_name(const char *name, size_t skip) {
    if (!has_error || !record || skip > strlen(record->message)) {
        return;
    }
    char rest[ERROR_MESSAGE_MAX + 1];
    snprintf(rest, sizeof rest, "%s", record->message + skip);
    if (snprintf(record->message, sizeof record->message, "%s: %s", name, rest) >
        ERROR_MESSAGE_MAX) {
        drop_partial_character(record->message);
    }
}

void error_clear(void) { has_error = false; }
