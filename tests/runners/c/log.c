#include "log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t log_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void log_line(const char *json) {
    char line[8192];
    int length = snprintf(line, sizeof line, "%s\n", json);
    /* A driver that has gone needs no log. */
    if (length > 0 && (size_t)length < sizeof line && write(1, line, (size_t)length) < 0)
        return;
}

/* Text in quotes, or null. */
static void quoted(char *out, size_t room, const char *text) {
    size_t at = 0;
    if (text == NULL) {
        snprintf(out, room, "null");
        return;
    }
    out[at++] = '"';
    for (; *text != '\0' && at + 8 < room; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            out[at++] = '\\';
        if (c < ' ')
            at += (size_t)snprintf(out + at, room - at, "\\u%04x", c);
        else
            out[at++] = (char)c;
    }
    out[at++] = '"';
    out[at] = '\0';
}

static void value(char *out, size_t room, const steadis_reply *reply) {
    size_t i, at = 0;
    switch (reply->type) {
    case STEADIS_REPLY_INTEGER:
        snprintf(out, room, "%lld", (long long)reply->integer);
        return;
    case STEADIS_REPLY_ARRAY:
        out[at++] = '[';
        for (i = 0; i < reply->elements && at + 64 < room; i++) {
            if (i > 0)
                out[at++] = ',';
            value(out + at, room - at - 1, reply->element[i]);
            at += strlen(out + at);
        }
        snprintf(out + at, room - at, "]");
        return;
    case STEADIS_REPLY_NIL:
        snprintf(out, room, "null");
        return;
    default: {
        /* A number that came as text is a number all the same. */
        const char *text = steadis_reply_str(reply);
        if (*text != '\0' && strspn(text, "-0123456789") == strlen(text))
            snprintf(out, room, "%s", text);
        else
            quoted(out, room, text);
    }
    }
}

void log_operation(const char *op, const char *key, int64_t start, const steadis_reply *reply,
                   const steadis_error *error) {
    char line[8000], name[256], what[7000], code[64], message[6000];
    quoted(name, sizeof name, key);
    if (error == NULL) {
        value(what, sizeof what, reply);
        snprintf(line, sizeof line, "{\"op\":\"%s\",\"key\":%s,\"start\":%lld,\"end\":%lld,\"value\":%s}",
                 op, name, (long long)start, (long long)log_now(), what);
    } else {
        static const char *const kinds[] = {"",     "Config", "Usage",  "Unavailable", "Timeout", "MaybeExecuted",
                                            "Auth", "Server", "Busy", "Closed", "Internal"};
        quoted(code, sizeof code, error->code);
        quoted(message, sizeof message, error->description);
        snprintf(line, sizeof line,
                 "{\"op\":\"%s\",\"key\":%s,\"start\":%lld,\"end\":%lld,"
                 "\"error\":{\"kind\":\"%s\",\"code\":%s,\"message\":%s}}",
                 op, name, (long long)start, (long long)log_now(), kinds[error->status / 10], code,
                 message);
    }
    log_line(line);
}

void log_event(const char *event, const steadis_reply *details, void *user) {
    static const char *const told[] = {"to", "why", "says", "message", "address"};
    char line[2048], says[1024];
    const char *text = "";
    size_t i;
    (void)user;
    for (i = 0; i < sizeof told / sizeof *told && *text == '\0'; i++)
        text = steadis_reply_str(steadis_reply_get(details, told[i]));
    quoted(says, sizeof says, text);
    snprintf(line, sizeof line, "{\"event\":\"%s\",\"at\":%lld,\"says\":%s}", event,
             (long long)log_now(), says);
    log_line(line);
}
