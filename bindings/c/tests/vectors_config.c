/* Every vector of tests/vectors/config: environment, URL and options to settings. Passwords come
 * back cut, so they are compared so; that they arrive is shown by the scenarios with passwords. */
#define _GNU_SOURCE
#include "harness.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/steadis-vectors-XXXXXX";

/* Text with {dir} filled in; to be freed. */
static char *filled(const char *text) {
    char *out = NULL;
    size_t size;
    FILE *stream = open_memstream(&out, &size);
    for (; *text != '\0'; text++) {
        if (strncmp(text, "{dir}", 5) == 0) {
            fputs(folder, stream);
            text += 4;
        } else {
            fputc(*text, stream);
        }
    }
    fclose(stream);
    return out;
}

/* C programs write milliseconds where the vector has seconds. */
static bool is_time(const char *name) {
    static const char *const parts[] = {"timeout", "lag", "interval", "delay", "backoff", "wait"};
    size_t i;
    for (i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasestr(name, parts[i]) != NULL)
            return true;
    return false;
}

static void scale(cJSON *value, bool time) {
    cJSON *part;
    if (time && cJSON_IsNumber(value))
        cJSON_SetNumberValue(value, value->valuedouble * 1000);
    cJSON_ArrayForEach(part, value)
        scale(part, part->string != NULL ? is_time(part->string) : time);
}

static void cut_passwords(cJSON *value) {
    cJSON *part;
    cJSON_ArrayForEach(part, value) {
        if (part->string != NULL && strstr(part->string, "password") != NULL)
            cJSON_SetValuestring(part, "***");
        else
            cut_passwords(part);
    }
}

static steadis_options *options_of(const cJSON *vector) {
    bool milliseconds = cJSON_HasObjectItem(vector, "unit");
    cJSON *env = cJSON_Duplicate(cJSON_GetObjectItem(vector, "env"), true), *part;
    cJSON *given = cJSON_Duplicate(cJSON_GetObjectItem(vector, "options"), true);
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItem(vector, "url"));
    steadis_options *options = NULL;
    steadis_options_new(&options, NULL);
    if (cJSON_IsTrue(cJSON_GetObjectItem(given, "env"))) {
        /* The process has these variables. */
        cJSON_ArrayForEach(part, env) setenv(part->string, part->valuestring, 1);
    }
    if (env == NULL)
        env = cJSON_CreateObject();
    if (!cJSON_HasObjectItem(given, "env"))
        cJSON_AddItemToObject(given != NULL ? given : (given = cJSON_CreateObject()), "env", env);
    else
        cJSON_Delete(env);
    cJSON_ArrayForEach(part, given) {
        char *json, *text;
        if (!milliseconds)
            scale(part, is_time(part->string));
        json = cJSON_PrintUnformatted(part);
        text = filled(json);
        if (steadis_options_set_json(options, part->string, text, NULL) != STEADIS_OK)
            printf("%s is refused\n", json);
        free(text);
        free(json);
    }
    if (url != NULL) {
        char *text = filled(url);
        steadis_options_set(options, "url", text, NULL);
        free(text);
    }
    cJSON_Delete(given);
    return options;
}

static bool warned(const steadis_reply *warnings, const cJSON *phrases, char *why, size_t room) {
    size_t i, found = 0;
    const cJSON *phrase;
    cJSON_ArrayForEach(phrase, phrases)
        for (i = 0; i < warnings->elements; i++)
            if (strstr(warnings->element[i]->str, phrase->valuestring) != NULL) {
                found++;
                break;
            }
    if (found == warnings->elements && (int)found == cJSON_GetArraySize(phrases))
        return true;
    snprintf(why, room, "warnings: %s", warnings->elements ? warnings->element[0]->str : "none");
    return false;
}

static bool comes_to(const cJSON *vector, const steadis_client *client, char *why, size_t room) {
    cJSON *expected = cJSON_Duplicate(cJSON_GetObjectItem(vector, "expect"), true), *found;
    steadis_reply *explained = NULL;
    bool same = false;
    if (expected == NULL || steadis_explain(client, &explained, NULL) != STEADIS_OK) {
        snprintf(why, room, "connected, against expectation");
    } else {
        const char *json = steadis_reply_str(steadis_reply_get(explained, "json"));
        found = cJSON_Parse(json);
        cut_passwords(expected);
        same = cJSON_Compare(expected, found, true);
        if (!same)
            snprintf(why, room, "got %s", json);
        cJSON_Delete(found);
        same = same && warned(steadis_reply_get(explained, "warnings"),
                              cJSON_GetObjectItem(vector, "warnings"), why, room);
    }
    steadis_reply_free(explained);
    cJSON_Delete(expected);
    return same;
}

static bool refused(const cJSON *vector, const steadis_error *error, char *why, size_t room) {
    const cJSON *expected = cJSON_GetObjectItem(vector, "error");
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(expected, "kind"));
    const char *raw = cJSON_GetStringValue(cJSON_GetObjectItem(expected, "phrase"));
    /* C has no url argument, only the option. */
    bool of_url = raw != NULL && strncmp(raw, "the url argument", 16) == 0;
    char *phrase = filled(raw == NULL ? "\x01" : of_url ? raw + 16 : raw);
    steadis_status status =
        kind != NULL && strcmp(kind, "Usage") == 0 ? STEADIS_USAGE : STEADIS_CONFIG;
    bool so = expected != NULL && error->status == status && strstr(error->message, phrase) != NULL;
    if (!so)
        snprintf(why, room, "refused: %s", error->message);
    free(phrase);
    return so;
}

static void one(const cJSON *vector, const char *file) {
    char why[2000] = "", path[300];
    steadis_options *options;
    steadis_client *client = NULL;
    steadis_error *error = NULL;
    const cJSON *content;
    bool well;
    /* C has one place for the URL. */
    if (cJSON_HasObjectItem(vector, "url") &&
        cJSON_HasObjectItem(cJSON_GetObjectItem(vector, "options"), "url"))
        return;
    cJSON_ArrayForEach(content, cJSON_GetObjectItem(vector, "files")) {
        FILE *out;
        snprintf(path, sizeof path, "%s/%s", folder, content->string);
        out = fopen(path, "w");
        fputs(content->valuestring, out);
        fclose(out);
    }
    options = options_of(vector);
    well = steadis_connect(options, &client, &error) == STEADIS_OK
               ? comes_to(vector, client, why, sizeof why)
               : refused(vector, error, why, sizeof why);
    CHECK(well);
    if (!well)
        vectors_failed(file, vector, why);
    steadis_client_free(client);
    steadis_error_free(error);
    steadis_options_free(options);
    cJSON_ArrayForEach(content, cJSON_GetObjectItem(vector, "env")) unsetenv(content->string);
    cJSON_ArrayForEach(content, cJSON_GetObjectItem(vector, "files")) {
        snprintf(path, sizeof path, "%s/%s", folder, content->string);
        unlink(path);
    }
}

int main(void) {
    CHECK(mkdtemp(folder) != NULL);
    vectors_each("config", one);
    rmdir(folder);
    return result();
}
