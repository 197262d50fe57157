/* {{note}} */

#ifndef STEADIS_COMMANDS_H
#define STEADIS_COMMANDS_H

/*
 * The plain forms of all data commands, without options: steadis_set(client, "k", "v", 1, &reply,
 * &error). Anything else goes through steadis_call.
 *
 * Text ends with a zero byte; what is stored comes with its length. What repeats is an array of
 * texts and their count; keys and values in turn for pairs. Their lengths can be NULL: then each
 * ends with a zero byte.
 */

#include "steadis.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define STEADIS_COMMAND __attribute__((unused)) static inline
#else
#define STEADIS_COMMAND static inline
#endif

/* Writes a number with the fewest digits that keep it, and a point whatever the locale says. */
STEADIS_COMMAND size_t steadis_commands_double(char *text, size_t size, double number)
{
    size_t length = 0;
    size_t i;
    int digits;

    for (digits = 15; digits <= 17; digits++) {
        length = (size_t)snprintf(text, size, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    for (i = 0; i < length; i++)
        if (strchr("0123456789+-infae", text[i]) == NULL)
            text[i] = '.';
    return length;
}

/* Calls with an array in the middle. */
STEADIS_COMMAND int steadis_commands_call(steadis_client *client, size_t head_count,
                                          const char *const *head, const size_t *head_lens,
                                          size_t count, const char *const *items,
                                          const size_t *lens, size_t tail_count,
                                          const char *const *tail, const size_t *tail_lens,
                                          steadis_reply **reply, steadis_error **error)
{
    const char *few[16];
    size_t few_lens[16];
    size_t total = head_count + count + tail_count;
    const char **argv = few;
    size_t *argv_lens = few_lens;
    void *many = NULL;
    size_t i;
    int result;

    if (total > 16) {
        /* Calling with nothing is refused: so is what does not fit into memory. */
        many = count < (size_t)-1 / 64 ? malloc(total * (sizeof *argv + sizeof *argv_lens)) : NULL;
        if (many == NULL)
            return steadis_call(client, 0, NULL, NULL, reply, error);
        argv = (const char **)many;
        argv_lens = (size_t *)(void *)(argv + total);
    }
    memcpy(argv, head, head_count * sizeof *argv);
    memcpy(argv_lens, head_lens, head_count * sizeof *argv_lens);
    for (i = 0; i < count; i++) {
        argv[head_count + i] = items[i];
        argv_lens[head_count + i] = lens != NULL ? lens[i] : strlen(items[i]);
    }
    for (i = 0; i < tail_count; i++) {
        argv[head_count + count + i] = tail[i];
        argv_lens[head_count + count + i] = tail_lens[i];
    }
    result = steadis_call(client, total, argv, argv_lens, reply, error);
    free(many);
    return result;
}
{{commands}}

#undef STEADIS_COMMAND

#ifdef __cplusplus
}
#endif

#endif
