#ifndef TOCHA_BASE_ERROR_H
#define TOCHA_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Poison errors: a function that fails records the first error of its thread and returns NULL or
 * false; functions that are handed the NULL pass it on. Later errors are consequences of the first
 * and are dropped until error_clear().
 */

enum { ERROR_MESSAGE_MAX = 2047 };

typedef enum { ERR_NONE, ERR_GENERIC, ERR_MEMORY, ERR_INTERRUPT } ErrorKind;

/* Records an error of kind ERR_GENERIC unless the thread has one already. Always returns false. */
bool fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As fail(), with a kind. ERR_NONE is not a kind of error and is taken as ERR_GENERIC. */
bool fail_kind(ErrorKind kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define fail_null(...) (fail(__VA_ARGS__), NULL)

/* The thread's error, or NULL; it stays valid until the thread clears it or ends. */
const char *error_message(void);

ErrorKind error_kind(void);

void error_clear(void);

#endif
