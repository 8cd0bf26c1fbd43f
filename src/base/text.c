#include "base/text.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/tls.h"

typedef struct {
    char buffers[TEXT_LIVE][TEXT_MAX];
    unsigned turn;
} Texts;

static THREAD_LOCAL Texts *texts;
static THREAD_LOCAL char spare[TEXT_MAX];

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void free_texts(void *p) {
    texts = NULL;
    free(p);
}

static void make_key(void) { has_key = pthread_key_create(&key, free_texts) == 0; }

char *text_buffer(void) {
    if (!texts) {
        pthread_once(&once, make_key);
        texts = calloc(1, sizeof *texts);
        if (!texts) {
            return spare;
        }
        if (has_key) {
            pthread_setspecific(key, texts);
        }
    }
    return texts->buffers[texts->turn++ % TEXT_LIVE];
}
