/* The printf forms: every directive, every wrong one. ECHO and RPUSH show what was sent. */
#include "harness.h"

#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const steadis_client *client;

/* What the arguments of a format came to: with "RPUSH l ..." the list tells. */
#define GIVES(expected, ...)                                                        \
    do {                                                                            \
        steadis_reply *reply = NULL;                                                \
        steadis_error *error = NULL;                                                \
        if (WELL(steadis_callf(client, &reply, &error, __VA_ARGS__)))               \
            CHECK(is(reply, expected));                                             \
        steadis_reply_free(reply);                                                  \
    } while (0)

#define REFUSES(words, ...)                                                         \
    do {                                                                            \
        steadis_reply *reply = NULL;                                                \
        steadis_error *error = NULL;                                                \
        FAILS(steadis_callf(client, &reply, &error, __VA_ARGS__), STEADIS_USAGE, words); \
    } while (0)

static void directives(void) {
    GIVES("a b", "ECHO %s", "a b");
    GIVES("", "ECHO %s", "");
    GIVES("", "ECHO %b", NULL, (size_t)0);
    GIVES("x", "  ECHO   %b  ", "xyz", (size_t)1);
    GIVES("user:7:name", "ECHO user:%d:%s", 7, "name");
    GIVES("100%", "ECHO %d%%", 100);
    GIVES("-2147483648", "ECHO %d", INT_MIN);
    GIVES("4294967295", "ECHO %u", UINT_MAX);
    GIVES("-9223372036854775808", "ECHO %lld", LLONG_MIN);
    GIVES("18446744073709551615", "ECHO %llu", ULLONG_MAX);
    GIVES("-5", "ECHO %ld", -5L);
    GIVES("5", "ECHO %lu", 5UL);
    GIVES("18446744073709551615", "ECHO %zu", SIZE_MAX);
    GIVES("-3", "ECHO %zd", (ptrdiff_t)-3);
    GIVES("9", "ECHO %jd", (intmax_t)9);
    GIVES("-4", "ECHO %td", (ptrdiff_t)-4);
    GIVES("12", "ECHO %hd", 12);
    GIVES("7", "ECHO %hhu", 7);
    GIVES("ff", "ECHO %x", 255);
    GIVES("0XFF", "ECHO %#X", 255);
    GIVES("007", "ECHO %03d", 7);
    GIVES("c", "ECHO %c", 'c');
    GIVES("3.500000", "ECHO %f", 3.5);
    GIVES("0.1", "ECHO %g", 0.1);
    GIVES("3.14", "ECHO %.2f", 3.14159);
    GIVES("1e+300", "ECHO %g", 1e300);
    GIVES("2.5", "ECHO %Lg", 2.5L);
    GIVES("2.5", "ECHO %lg", 2.5);
    GIVES("  42", "ECHO %4d", 42);
}

static void refusals(void) {
    REFUSES("the format is NULL", NULL);
    REFUSES("needs a name", "");
    REFUSES("needs a name", "   ");
    REFUSES("ends within a directive", "ECHO %");
    REFUSES("ends within a directive", "ECHO %ll");
    REFUSES("is not known", "ECHO %y", 1);
    REFUSES("is not known", "ECHO %n", (int *)NULL);
    REFUSES("is not known", "ECHO %p", (void *)NULL);
    REFUSES("is not known", "ECHO %*d", 3, 4);
    REFUSES("is not known", "ECHO %llld", 1LL);
    REFUSES("is not known", "ECHO %hld", 1L);
    REFUSES("is not known", "ECHO %0000000000000000000000000d", 1);
    REFUSES("flags", "ECHO %5s", "x");
    REFUSES("flags", "ECHO %.3b", "x", (size_t)1);
    REFUSES("NULL for this directive", "ECHO %s", (char *)NULL);
    REFUSES("NULL for this directive", "ECHO %b", (char *)NULL, (size_t)3);
    REFUSES("too long", "ECHO %b", "x", SIZE_MAX / 2);
    REFUSES("500 places", "ECHO %600d", 1);
    REFUSES("write ll", "ECHO %Ld", 1LL);
    REFUSES("fraction", "ECHO %lle", 1.0);
    REFUSES("before %c", "ECHO %lc", 65);
    REFUSES("\"ECHO %y\"", "ECHO %y", 1);
}

static void in_any_locale(void) {
    char comma[8];
    CHECK(setlocale(LC_NUMERIC, "de_DE.UTF-8") != NULL);
    CHECK(snprintf(comma, sizeof comma, "%.1f", 0.5) == 3 && strcmp(comma, "0,5") == 0);
    GIVES("1234.5", "ECHO %.1f", 1234.5);
    setlocale(LC_NUMERIC, "C");
}

static void into_pipelines(void) {
    steadis_pipeline *pipeline = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    WELL(steadis_pipeline_new(&pipeline, &error));
    WELL(steadis_pipeline_addf(pipeline, &error, "ECHO %d", 1));
    FAILS(steadis_pipeline_addf(pipeline, &error, "ECHO %y", 1), STEADIS_USAGE, "is not known");
    WELL(steadis_pipeline_addf(pipeline, &error, "ECHO %s", "two words"));
    if (WELL(steadis_pipeline_exec(client, pipeline, NULL, &reply, &error)))
        CHECK(reply->elements == 2 && is(reply->element[1], "two words"));
    steadis_reply_free(reply);
    steadis_pipeline_free(pipeline);
}

int main(void) {
    steadis_client *mine;
    redis_start();
    client = mine = redis_client();
    directives();
    refusals();
    in_any_locale();
    into_pipelines();
    steadis_client_free(mine);
    return result();
}
