/* The line editor: readline, or libedit's readline interface. The editor's callback interface is
 * used, so that this file waits for keys and signals itself, and no signal handler does more than
 * set a flag. */
#include "vm_bindings/repl.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef TOCHA_USE_LIBEDIT
    #include <editline/readline.h>
#else
    #include <readline/history.h>
    #include <readline/readline.h>
#endif

enum { MAX_HISTORY = 10000, MAX_HISTORY_FILE = 1 << 20 };

static lua_State *state;
static char *history_file; /* NULL: none */
static char *last_entry;
static char *finished_line;
static bool finished;

/* ---- Completion. */

static Candidates candidates;

static char *next_candidate(const char *text, int calls) {
    static size_t i;
    static size_t skip; /* what stands before the word that the editor wants to replace */
    if (calls == 0) {
        i = 0;
        size_t word = (size_t)rl_point - strlen(text);
        skip = word > candidates.from ? word - candidates.from : 0;
    }
    return i < candidates.count ? strdup(candidates.names[i++] + skip) : NULL;
}

static char **complete(const char *text, int start, int end) {
    rl_attempted_completion_over = 1; /* no file names outside strings */
    if (end < start || end != rl_point) {
        return NULL;
    }
    complete_find(state, rl_line_buffer, (size_t)end, &candidates);
    char **matches = NULL;
    if (candidates.from <= (size_t)start) {
        matches = rl_completion_matches(text, next_candidate);
    }
    rl_completion_append_character = candidates.count == 1 ? candidates.suffix : 0;
    complete_free(&candidates);
    return matches;
}

static int press_tab(int count, int key);

static int complete_key(int count, int key) {
#ifndef TOCHA_USE_LIBEDIT
    /* The second Tab in a row lists the candidates; readline looks for its own function. */
    if (rl_last_func == press_tab) {
        rl_last_func = rl_complete;
    }
#endif
    return rl_complete(count, key);
}

/* Tab indents where there is nothing to complete yet. */
static int press_tab(int count, int key) {
    for (int i = 0; i < rl_point; i++) {
        if (rl_line_buffer[i] != ' ') {
            return complete_key(count, key);
        }
    }
    return rl_insert_text("    ");
}

/* ---- History. */

static char *join(const char *a, const char *b) {
    Text t = {0};
    text_puts(&t, a);
    text_puts(&t, b);
    if (t.failed) {
        text_free(&t);
    }
    return t.data;
}

/* $TOCHA_HISTORY, or the place that the XDG base directories give it; the caller frees it. */
static char *history_path(void) {
    const char *path = getenv("TOCHA_HISTORY");
    if (path) {
        return *path ? strdup(path) : NULL;
    }
    const char *base = getenv("XDG_STATE_HOME");
    if (base && base[0] == '/') {
        return join(base, "/tocha/history");
    }
    const char *home = getenv("HOME");
    return home && *home ? join(home, "/.local/state/tocha/history") : NULL;
}

static void make_parents(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* A history that cannot be kept is no reason to bother the user. */
static void open_history(void) {
    using_history();
    stifle_history(MAX_HISTORY);
#ifndef TOCHA_USE_LIBEDIT
    /* With time stamps an entry of several lines is read back as one. */
    history_comment_char = '#';
    history_write_timestamps = 1;
#endif
    char *path = history_path();
    if (!path) {
        return;
    }
    make_parents(path);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat info;
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        history_file = path;
        if (info.st_size > MAX_HISTORY_FILE) {
            history_truncate_file(path, MAX_HISTORY / 2);
        }
        if (info.st_size > 0) {
            read_history(path);
        }
    } else {
        free(path);
    }
    if (fd >= 0) {
        close(fd);
    }
}

void edit_remember(const char *text) {
    if (!state || (last_entry && strcmp(last_entry, text) == 0)) {
        return;
    }
    free(last_entry);
    last_entry = strdup(text);
    add_history(text);
    if (history_file) {
        append_history(1, history_file);
    }
}

/* ---- Reading a line. */

void edit_open(lua_State *L) {
    state = L;
    rl_readline_name = "tocha";
    rl_catch_signals = 0;
    rl_attempted_completion_function = complete;
    rl_basic_quote_characters = ""; /* else a quote is added even behind a folder's name */
    rl_basic_word_break_characters = " \t\r\n\"'\\`@$><=;:+-*/%^~#&|{}()[].,!?";
#ifdef TOCHA_USE_LIBEDIT
    setlocale(LC_CTYPE, ""); /* readline does this itself */
#else
    rl_catch_sigwinch = 0;
    rl_variable_bind("completion-query-items", "300");
    rl_variable_bind("page-completions", "off");
#endif
    rl_bind_key('\t', press_tab);
    open_history();
}

static void take_line(char *line) {
    finished = true;
    finished_line = line;
    rl_callback_handler_remove();
}

/* What readline would do itself if it caught signals: it must not end or stop the process with the
 * terminal in raw mode. */
static const int watched[] = {SIGWINCH, SIGTSTP, SIGTERM, SIGHUP, SIGQUIT};
enum { WATCHED = sizeof watched / sizeof *watched };
static volatile sig_atomic_t arrived[WATCHED];

static void note_signal(int sig) {
    for (int i = 0; i < WATCHED; i++) {
        if (watched[i] == sig) {
            arrived[i] = 1;
        }
    }
}

static void pass_on(int sig) {
    struct sigaction ours, plain = {.sa_handler = SIG_DFL};
    sigset_t only, before;
    rl_deprep_terminal();
    sigaction(sig, &plain, &ours);
    raise(sig);
    sigemptyset(&only);
    sigaddset(&only, sig);
    sigprocmask(SIG_UNBLOCK, &only, &before); /* here the process stops or ends */
    sigprocmask(SIG_SETMASK, &before, NULL);
    sigaction(sig, &ours, NULL);
    rl_prep_terminal(1);
    rl_forced_update_display();
}

static void serve_signals(void) {
    for (int i = 0; i < WATCHED; i++) {
        if (arrived[i]) {
            arrived[i] = 0;
            if (watched[i] == SIGWINCH) {
                rl_resize_terminal();
            } else {
                pass_on(watched[i]);
            }
        }
    }
}

static void drop_line(void) {
    FILE *out = rl_outstream ? rl_outstream : stdout;
#ifdef TOCHA_USE_LIBEDIT
    rl_replace_line("", 0);
    rl_point = rl_end = 0;
#else
    /* First what is drawn over the line, such as a search, so that ^C ends the line itself. */
    rl_callback_sigcleanup();
    rl_free_line_state();
#endif
    fputs("^C\n", out);
    fflush(out);
    rl_callback_handler_remove();
}

/* Feeds keys to the editor until a line is finished; false when Ctrl-C came. */
static bool feed(void) {
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    for (int i = 0; i < WATCHED; i++) {
        sigaddset(&blocked, watched[i]);
    }
    while (!finished) {
        fd_set input;
        FD_ZERO(&input);
        FD_SET(STDIN_FILENO, &input);
        sigprocmask(SIG_BLOCK, &blocked, &before);
        serve_signals();
        bool dropped = interrupt_take_idle();
        int ready = dropped ? 0 : pselect(STDIN_FILENO + 1, &input, NULL, NULL, NULL, &before);
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (dropped) {
            return false;
        }
        if (ready > 0) {
            rl_callback_read_char();
        } else if (ready < 0 && errno != EINTR) {
            take_line(NULL);
        }
    }
    return true;
}

static EditEnd edit_terminal(const char *prompt, char **line) {
    struct sigaction action = {.sa_handler = note_signal}, before[WATCHED];
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < WATCHED; i++) {
        sigaction(watched[i], &action, &before[i]);
    }
    finished = false;
    finished_line = NULL;
    rl_callback_handler_install(prompt, take_line);
    bool complete_line = feed();
    if (!complete_line) {
        drop_line();
    }
    for (int i = 0; i < WATCHED; i++) {
        sigaction(watched[i], &before[i], NULL);
    }
    if (!complete_line) {
        return EDIT_DROPPED;
    }
    *line = finished_line;
    return finished_line ? EDIT_LINE : EDIT_EOF;
}

static EditEnd read_plain(const char *prompt, char **line) {
    size_t capacity = 0;
    char *read = NULL;
    fputs(prompt, stdout);
    fflush(stdout);
    ssize_t n = getline(&read, &capacity, stdin);
    if (n < 0) {
        free(read);
        clearerr(stdin);
        return interrupt_take_idle() ? EDIT_DROPPED : EDIT_EOF;
    }
    if (n > 0 && read[n - 1] == '\n') {
        read[n - 1] = '\0';
    }
    *line = read;
    return EDIT_LINE;
}

EditEnd edit_line(const char *prompt, char **line) {
    fflush(stdout);
    fflush(stderr);
    return state ? edit_terminal(prompt, line) : read_plain(prompt, line);
}
