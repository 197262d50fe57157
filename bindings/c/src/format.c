/* The printf forms. Rust cannot define functions with variable arguments. */

#include "steadis.h"

#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In runtime.rs; not exported. */
steadis_status steadis_refuse_format(const char *why, const char *format, size_t at,
                                     steadis_error **error);

/* Room for most commands, so that nobody has to be asked for memory. */
enum { SHORT = 256, FEW = 8 };

/* Arguments in the making: their text end to end, and where each one ends. */
typedef struct {
    char *text;
    size_t length, room;
    size_t *ends;
    size_t count, places;
    bool open;
    const char *why;
    char short_text[SHORT];
    size_t few_ends[FEW];
} words;

/* More memory for what lies in `old`, which is `few` as long as that is enough. */
static void *more(void *old, const void *few, size_t used, size_t size) {
    void *fresh = realloc(old == few ? NULL : old, size);
    if (fresh != NULL && old == few)
        memcpy(fresh, few, used);
    return fresh;
}

static void grow(words *w, size_t length) {
    size_t room = w->room;
    char *text;
    if (length <= room - w->length)
        return;
    if (length > (size_t)PTRDIFF_MAX - w->length) {
        w->why = "an argument is too long";
        return;
    }
    while (room < w->length + length)
        room *= 2;
    text = more(w->text, w->short_text, w->length, room);
    if (text == NULL) {
        w->why = "there is no memory for it";
        return;
    }
    w->text = text;
    w->room = room;
}

static void append(words *w, const char *bytes, size_t length) {
    w->open = true;
    grow(w, length);
    if (w->why == NULL && length > 0) {
        memcpy(w->text + w->length, bytes, length);
        w->length += length;
    }
}

static void end_word(words *w) {
    if (!w->open)
        return;
    w->open = false;
    if (w->count == w->places) {
        size_t places = w->places * 2;
        size_t *ends = more(w->ends, w->few_ends, w->count * sizeof *ends, places * sizeof *ends);
        if (ends == NULL) {
            w->why = "there is no memory for it";
            return;
        }
        w->ends = ends;
        w->places = places;
    }
    w->ends[w->count++] = w->length;
}

/* Redis wants a point, whatever the locale has. */
static void append_real(words *w, char *text, int length) {
    const char *point = localeconv()->decimal_point;
    size_t width = strlen(point);
    char *found = width > 0 && strcmp(point, ".") != 0 ? strstr(text, point) : NULL;
    if (found == NULL) {
        append(w, text, (size_t)length);
        return;
    }
    append(w, text, (size_t)(found - text));
    append(w, ".", 1);
    append(w, found + width, strlen(found + width));
}

#define NUMBER(type) (length = snprintf(text, sizeof text, spec, va_arg(*args, type)))

/* %s, %b or %%. */
static const char *text_directive(words *w, const char *at, va_list *args) {
    const char *bytes = "%";
    size_t size = 1;
    if (*at != '%') {
        bytes = va_arg(*args, const char *);
        if (*at == 'b')
            size = va_arg(*args, size_t);
        else
            size = bytes != NULL ? strlen(bytes) : 0;
    }
    if (bytes == NULL && (*at == 's' || size > 0))
        w->why = "has a NULL for this directive";
    else
        append(w, bytes, size);
    return w->why == NULL ? at + 1 : NULL;
}

/* One directive behind its %; where it ends, or NULL with the reason in w. */
static const char *directive(words *w, const char *at, va_list *args) {
    char spec[24] = "%", text[512];
    const char *from = at;
    size_t used = 1;
    int length = -1, h = 0, l = 0, z = 0, j = 0, t = 0, L = 0;

    if (*at == 's' || *at == 'b' || *at == '%')
        return text_directive(w, at, args);
    at += strspn(at, "-+ 0#");
    at += strspn(at, "0123456789");
    if (*at == '.')
        at += 1 + strspn(at + 1, "0123456789");
    for (;; at++) {
        if (*at == 'h') h++;
        else if (*at == 'l') l++;
        else if (*at == 'z') z++;
        else if (*at == 'j') j++;
        else if (*at == 't') t++;
        else if (*at == 'L') L++;
        else break;
    }
    if (*at == '\0') {
        w->why = "ends within a directive";
        return NULL;
    }
    if (*at == '%' || *at == 's' || *at == 'b') {
        w->why = "has flags that %s, %b and %% do not take";
        return NULL;
    }
    if ((size_t)(at - from) + 3 > sizeof spec || h > 2 || l > 2 || z + j + t + L > 1 ||
        (h > 0) + (l > 0) + z + j + t + L > 1 || strchr("diouxXcfFeEgG", *at) == NULL) {
        w->why = "has a directive that is not known; write %s, %b, %d, %u, %lld, %zu or %g";
        return NULL;
    }
    used += (size_t)(at - from) + 1;
    memcpy(spec + 1, from, used - 1);
    spec[used] = '\0';
    if (strchr("fFeEgG", *at) != NULL) {
        if (h + z + j + t + (l == 2) > 0) {
            w->why = "has a length that numbers with a fraction do not take";
            return NULL;
        }
        if (L)
            NUMBER(long double);
        else
            NUMBER(double);
    } else if (L) {
        w->why = "has an L before a whole number; write ll";
        return NULL;
    } else if (*at == 'd' || *at == 'i') {
        if (l == 2) NUMBER(long long);
        else if (l == 1) NUMBER(long);
        else if (z || t) NUMBER(ptrdiff_t);
        else if (j) NUMBER(intmax_t);
        else NUMBER(int);
    } else if (*at == 'c') {
        if (h + l + z + j + t > 0) {
            w->why = "has a length before %c";
            return NULL;
        }
        NUMBER(int);
    } else {
        if (l == 2) NUMBER(unsigned long long);
        else if (l == 1) NUMBER(unsigned long);
        else if (z || t) NUMBER(size_t);
        else if (j) NUMBER(uintmax_t);
        else NUMBER(unsigned int);
    }
    if (length < 0 || (size_t)length >= sizeof text) {
        w->why = "writes a number at more than 500 places";
        return NULL;
    }
    if (strchr("fFeEgG", *at) != NULL)
        append_real(w, text, length);
    else
        append(w, text, (size_t)length);
    return w->why == NULL ? at + 1 : NULL;
}

typedef steadis_status (*consumer)(void *context, int argc, const char **argv, const size_t *lengths,
                               steadis_error **error);

/* Hands the words on as arguments. */
static steadis_status hand_on(words *w, const char *format, steadis_error **error, consumer use,
                              void *context) {
    const char *few[FEW], **argv = few;
    steadis_status status;
    size_t start = 0, i;
    if (w->count > FEW && (argv = malloc(w->count * sizeof *argv)) == NULL)
        return steadis_refuse_format("there is no memory for it", format, 0, error);
    for (i = 0; i < w->count; i++) {
        size_t end = w->ends[i];
        argv[i] = end > start ? w->text + start : "";
        w->ends[i] = end - start;
        start = end;
    }
    status = use(context, (int)w->count, argv, w->ends, error);
    if (argv != few)
        free((void *)argv);
    return status;
}

/* Words are parted by blanks; what a directive inserts stays within its word. */
static steadis_status format_words(const char *format, va_list *args, steadis_error **error,
                                   consumer use, void *context) {
    words w;
    steadis_status status;
    const char *at = format;
    if (format == NULL)
        return steadis_refuse_format("is NULL", "", 0, error);
    w.text = w.short_text;
    w.ends = w.few_ends;
    w.room = SHORT;
    w.places = FEW;
    w.length = w.count = 0;
    w.open = false;
    w.why = NULL;
    while (*at != '\0' && w.why == NULL) {
        const char *next = at + 1;
        if (*at == ' ') {
            end_word(&w);
        } else if (*at == '%') {
            if ((next = directive(&w, at + 1, args)) == NULL)
                break;
        } else {
            next = at + strcspn(at, " %");
            append(&w, at, (size_t)(next - at));
        }
        at = next;
    }
    if (w.why == NULL)
        end_word(&w);
    if (w.why == NULL && w.count > INT_MAX)
        w.why = "has too many words";
    if (w.why != NULL)
        status = steadis_refuse_format(w.why, format, (size_t)(at - format), error);
    else
        status = hand_on(&w, format, error, use, context);
    if (w.text != w.short_text)
        free(w.text);
    if (w.ends != w.few_ends)
        free(w.ends);
    return status;
}

typedef struct {
    const steadis_client *client;
    steadis_reply **reply;
} call;

static steadis_status use_call(void *context, int argc, const char **argv, const size_t *lengths,
                               steadis_error **error) {
    call *c = context;
    return steadis_call(c->client, argc, argv, lengths, c->reply, error);
}

steadis_status steadis_callf(const steadis_client *client, steadis_reply **reply,
                             steadis_error **error, const char *format, ...) {
    call context = {client, reply};
    steadis_status status;
    va_list args;
    va_start(args, format);
    status = format_words(format, &args, error, use_call, &context);
    va_end(args);
    return status;
}

static steadis_status use_add(void *context, int argc, const char **argv, const size_t *lengths,
                              steadis_error **error) {
    return steadis_pipeline_add(context, argc, argv, lengths, error);
}

steadis_status steadis_pipeline_addf(steadis_pipeline *pipeline, steadis_error **error,
                                     const char *format, ...) {
    steadis_status status;
    va_list args;
    va_start(args, format);
    status = format_words(format, &args, error, use_add, pipeline);
    va_end(args);
    return status;
}

typedef struct {
    const steadis_async *handle;
    steadis_reply_callback callback;
    void *user;
} submission;

static steadis_status use_submit(void *context, int argc, const char **argv, const size_t *lengths,
                                 steadis_error **error) {
    submission *s = context;
    return steadis_async_call(s->handle, NULL, argc, argv, lengths, s->callback, s->user, NULL, error);
}

steadis_status steadis_async_callf(const steadis_async *handle, steadis_reply_callback callback,
                                   void *user, steadis_error **error, const char *format, ...) {
    submission context = {handle, callback, user};
    steadis_status status;
    va_list args;
    va_start(args, format);
    status = format_words(format, &args, error, use_submit, &context);
    va_end(args);
    return status;
}
