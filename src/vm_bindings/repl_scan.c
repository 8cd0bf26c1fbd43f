/* Lua's tokens, as far as the prompt needs them: where strings and comments begin and end, and
 * which words are names. It accepts text that is not finished. */
#include "vm_bindings/repl.h"

#include <ctype.h>
#include <string.h>

static const char *const keywords[] = {"and",   "break", "do",       "else", "elseif", "end",
                                       "false", "for",   "function", "goto", "if",     "in",
                                       "local", "nil",   "not",      "or",   "repeat", "return",
                                       "then",  "true",  "until",    "while"};

static bool starts_name(char c) { return isalpha((unsigned char)c) || c == '_'; }
static bool continues_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

const char *scan_keyword(int i) {
    return i < (int)(sizeof keywords / sizeof *keywords) ? keywords[i] : NULL;
}

bool scan_is_keyword(const char *s, size_t n) {
    const char *word;
    for (int i = 0; (word = scan_keyword(i)); i++) {
        if (strlen(word) == n && memcmp(word, s, n) == 0) {
            return true;
        }
    }
    return false;
}

bool scan_is_name(const char *s, size_t n) {
    if (n == 0 || !starts_name(s[0])) {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        if (!continues_name(s[i])) {
            return false;
        }
    }
    return !scan_is_keyword(s, n);
}

bool scan_is(const Token *t, const char *text) {
    return t->length == strlen(text) && memcmp(t->start, text, t->length) == 0;
}

/* The number of '=' if a long bracket opens at p, else -1. */
static int bracket_level(const char *p, const char *end) {
    const char *q = p + 1;
    while (q < end && *q == '=') {
        q++;
    }
    return p < end && *p == '[' && q < end && *q == '[' ? (int)(q - p) - 1 : -1;
}

/* Behind the long bracket that opens at p, or NULL where it stays open. */
static const char *skip_bracket(const char *p, const char *end, int level) {
    for (p += level + 2; p < end; p++) {
        if (*p != ']') {
            continue;
        }
        const char *q = p + 1;
        while (q < end && *q == '=') {
            q++;
        }
        if (q - p - 1 == level && q < end && *q == ']') {
            return q + 1;
        }
    }
    return NULL;
}

/* Behind the quoted string at p, or NULL where it stays open. */
static const char *skip_quoted(const char *p, const char *end) {
    char quote = *p;
    for (p++; p < end; p++) {
        if (*p == '\\' && p + 1 < end) {
            p++;
        } else if (*p == quote) {
            return p + 1;
        }
    }
    return NULL;
}

static const char *skip_number(const char *p, const char *end) {
    while (p < end && (continues_name(*p) || *p == '.')) {
        bool exponent = strchr("eEpP", *p) != NULL;
        p++;
        if (exponent && p < end && (*p == '+' || *p == '-')) {
            p++;
        }
    }
    return p;
}

static const char *skip_symbol(const char *p, const char *end) {
    char first = *p++;
    if (first == ':' && p < end && *p == ':') {
        p++;
    }
    while (first == '.' && p < end && *p == '.') {
        p++;
    }
    return p;
}

static const char *skip_comment(const char *p, const char *end) {
    int level = bracket_level(p + 2, end);
    if (level >= 0) {
        return skip_bracket(p + 2, end, level);
    }
    return memchr(p, '\n', (size_t)(end - p));
}

Token scan_token(const char **at, const char *end) {
    const char *p = *at, *behind;
    while (p < end && isspace((unsigned char)*p)) {
        p++;
    }
    Token t = {.start = p};
    if (p == end) {
        behind = end;
    } else if (starts_name(*p)) {
        t.kind = TOKEN_NAME;
        for (behind = p + 1; behind < end && continues_name(*behind);) {
            behind++;
        }
    } else if (isdigit((unsigned char)*p) ||
               (*p == '.' && p + 1 < end && isdigit((unsigned char)p[1]))) {
        t.kind = TOKEN_NUMBER;
        behind = skip_number(p, end);
    } else if (*p == '"' || *p == '\'') {
        t.kind = TOKEN_STRING;
        behind = skip_quoted(p, end);
    } else if (bracket_level(p, end) >= 0) {
        t.kind = TOKEN_STRING;
        behind = skip_bracket(p, end, bracket_level(p, end));
    } else if (*p == '-' && p + 1 < end && p[1] == '-') {
        t.kind = TOKEN_COMMENT;
        behind = skip_comment(p, end);
    } else {
        t.kind = TOKEN_SYMBOL;
        behind = skip_symbol(p, end);
    }
    t.open = !behind;
    *at = behind ? behind : end;
    t.length = (size_t)(*at - p);
    return t;
}
