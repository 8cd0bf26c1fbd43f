#include "base/error.h"

#include <pthread.h>
#include <string.h>

#include "base/atomic.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base_check.h"

static void *null_of_failure(int n) { return fail_null("n is %d", n); }

static bool first_error_stays(void) {
    CHECK(!error_message() && error_kind() == ERR_NONE, "an error from the start");
    CHECK(!fail("add: expected %d, got %d", 1, 2), "fail returned true");
    CHECK(!fail_kind(ERR_MEMORY, "second"), "fail_kind returned true");
    CHECK(strcmp(error_message(), "add: expected 1, got 2") == 0, "got %s", error_message());
    CHECK(error_kind() == ERR_GENERIC, "kind %d", error_kind());
    error_clear();
    CHECK(!error_message() && error_kind() == ERR_NONE, "the error outlived its clearing");
    CHECK(!null_of_failure(3), "not NULL");
    CHECK(strcmp(error_message(), "n is 3") == 0, "got %s", error_message());
    error_clear();
    return true;
}

static bool kinds(void) {
    fail_kind(ERR_INTERRUPT, "stop");
    CHECK(error_kind() == ERR_INTERRUPT, "kind %d", error_kind());
    error_clear();
    fail_kind(ERR_NONE, "odd");
    CHECK(error_kind() == ERR_GENERIC, "an error of kind none: %d", error_kind());
    error_clear();
    return true;
}

static bool long_messages(void) {
    enum { LENGTH = 5000 };
    char text[LENGTH + 1];
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    fail("%s", text);
    CHECK(strlen(error_message()) == ERROR_MESSAGE_MAX, "length %zu", strlen(error_message()));
    error_clear();
    for (int shift = 0; shift < 4; shift++) {
        for (int i = shift; i + 4 <= LENGTH; i += 4) {
            memcpy(text + i, "\xF0\x9F\x8C\x99", 4);
        }
        fail("%s", text);
        size_t length = strlen(error_message());
        CHECK(length > ERROR_MESSAGE_MAX - 4 && (length - (size_t)shift) % 4 == 0,
              "shift %d: a character was split at length %zu", shift, length);
        error_clear();
    }
    return true;
}

static void *error_of_thread(void *seen) {
    *(bool *)seen = error_message() != NULL;
    fail("of the other thread");
    return NULL;
}

static bool errors_are_of_the_thread(void) {
    bool seen = true;
    pthread_t thread;
    fail("of this thread");
    CHECK(pthread_create(&thread, NULL, error_of_thread, &seen) == 0, "no thread");
    pthread_join(thread, NULL);
    CHECK(!seen, "a new thread has an error");
    CHECK(strcmp(error_message(), "of this thread") == 0, "got %s", error_message());
    error_clear();
    return true;
}

static bool interrupts(void) {
    CHECK(!interrupt_pending() && !interrupted(), "interrupted from the start");
    atomic_store(&interrupt_flag, 1);
    CHECK(interrupt_pending() && !error_message(), "peeking changed something");
    CHECK(interrupted(), "the flag was not seen");
    CHECK(error_kind() == ERR_INTERRUPT, "kind %d", error_kind());
    CHECK(strcmp(error_message(), "interrupted") == 0, "got %s", error_message());
    error_clear();
    CHECK(!interrupt_pending() && !interrupted() && !error_message(), "interrupted twice");
    return true;
}

static char warned[64];

static void keep_warning(const char *message) { snprintf(warned, sizeof warned, "%s", message); }

static bool warnings(void) {
    CHECK(!warn_set_hook(keep_warning), "a hook from the start");
    warn("two\nlines, %d", 7);
    CHECK(strcmp(warned, "two lines, 7") == 0, "got %s", warned);
    CHECK(warn_set_hook(NULL) == keep_warning, "another hook");
    return true;
}

enum { OWNERS = 4, ROUNDS = 20000 };

static atomic_int references = 1, destroyed;

static void *share(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        ref_retain(&references);
        if (ref_release(&references)) {
            atomic_fetch_add(&destroyed, 1);
        }
    }
    if (ref_release(&references)) {
        atomic_fetch_add(&destroyed, 1);
    }
    return unused;
}

static bool references_end_once(void) {
    pthread_t threads[OWNERS];
    for (int i = 0; i < OWNERS; i++) {
        ref_retain(&references);
        CHECK(pthread_create(&threads[i], NULL, share, NULL) == 0, "no thread");
    }
    if (ref_release(&references)) {
        atomic_fetch_add(&destroyed, 1);
    }
    for (int i = 0; i < OWNERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(destroyed == 1, "fell to zero %d times", destroyed);
    return true;
}

int main(void) {
    static const Case cases[] = {
        {"error_first_stays", first_error_stays},
        {"error_kinds", kinds},
        {"error_long_messages", long_messages},
        {"error_thread_local", errors_are_of_the_thread},
        {"interrupt", interrupts},
        {"log_hook", warnings},
        {"atomic_references", references_end_once},
    };
    return RUN_CASES(cases);
}
