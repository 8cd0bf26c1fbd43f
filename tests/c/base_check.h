#ifndef TOCHA_TESTS_BASE_CHECK_H
#define TOCHA_TESTS_BASE_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The harness of the base layer's tests: a case is a function that returns whether it passed. */

typedef bool CaseFn(void);

typedef struct {
    const char *name;
    CaseFn *fn;
} Case;

static const char *check_name;

/* Ends the case as failed, with the reason, unless the condition holds. */
#define CHECK(condition, ...)                                                   \
    do {                                                                        \
        if (!(condition)) {                                                     \
            printf("FAIL %s: line %d: %s: ", check_name, __LINE__, #condition); \
            printf(__VA_ARGS__);                                                \
            printf("\n");                                                       \
            return false;                                                       \
        }                                                                       \
    } while (0)

/* Runs fn in a child of this process with a variable set, for what is read from the environment
 * only once. The parent must not have used the module yet. */
__attribute__((unused)) static bool in_child(const char *name, const char *value, CaseFn *fn) {
    fflush(stdout);
    pid_t pid = fork();
    CHECK(pid >= 0, "cannot fork");
    if (pid == 0) {
        if (name) {
            setenv(name, value, 1);
        }
        bool passed = fn();
        fflush(stdout);
        _exit(passed ? 0 : 1);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid, "lost the child");
    CHECK(!WIFSIGNALED(status), "the child died of signal %d", WTERMSIG(status));
    return WEXITSTATUS(status) == 0;
}

/* Runs all cases and returns the exit status of the program. */
static int run_cases(const Case *cases, size_t count) {
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        check_name = cases[i].name;
        if (cases[i].fn()) {
            printf("ok %s\n", cases[i].name);
        } else {
            failed++;
        }
        fflush(stdout);
    }
    return failed != 0;
}

#define RUN_CASES(cases) run_cases(cases, sizeof(cases) / sizeof *(cases))

#endif
