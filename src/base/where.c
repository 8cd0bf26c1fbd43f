#include "base/where.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

THREAD_LOCAL WhereFn *where_hook;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char **names;
static int32_t count, capacity;

static int32_t find(const char *name) {
    for (int32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return i + 1;
        }
    }
    return 0;
}

static int32_t add(const char *name) {
    if (count == capacity) {
        int32_t wanted = capacity ? capacity * 2 : 16;
        char **grown = realloc(names, (size_t)wanted * sizeof *grown);
        if (!grown) {
            return 0;
        }
        names = grown;
        capacity = wanted;
    }
    char *copy = strdup(name);
    if (!copy) {
        return 0;
    }
    names[count++] = copy;
    return count;
}

int32_t where_intern(const char *name) {
    pthread_mutex_lock(&lock);
    int32_t id = find(name);
    if (!id) {
        id = add(name);
    }
    pthread_mutex_unlock(&lock);
    return id;
}

const char *intern(const char *text) {
    int32_t id = where_intern(text);
    pthread_mutex_lock(&lock);
    const char *copy = id ? names[id - 1] : NULL;
    pthread_mutex_unlock(&lock);
    return copy;
}

const char *where_text(Where w) {
    char *text = text_buffer();
    pthread_mutex_lock(&lock);
    if (w.source > 0 && w.source <= count) {
        snprintf(text, TEXT_MAX, "%s:%d", names[w.source - 1], w.line);
    } else {
        text[0] = '\0';
    }
    pthread_mutex_unlock(&lock);
    return text;
}
