#define _GNU_SOURCE
#include "vectors.h"
#include "harness.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    char *text;
    long size;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
        return NULL;
    rewind(file);
    text = calloc((size_t)size + 1, 1);
    if (fread(text, 1, (size_t)size, file) != (size_t)size)
        text[0] = '\0';
    fclose(file);
    return text;
}

void vectors_each(const char *folder, void (*each)(const cJSON *vector, const char *file)) {
    char pattern[256];
    glob_t found;
    size_t i;
    snprintf(pattern, sizeof pattern, "tests/vectors/%s/*.json", folder);
    CHECK(glob(pattern, 0, NULL, &found) == 0);
    for (i = 0; i < found.gl_pathc; i++) {
        char *text = read_file(found.gl_pathv[i]);
        cJSON *cases = cJSON_Parse(text);
        const cJSON *one;
        CHECK(cJSON_IsArray(cases));
        cJSON_ArrayForEach(one, cases) each(one, found.gl_pathv[i]);
        cJSON_Delete(cases);
        free(text);
    }
    globfree(&found);
}

char *vectors_bytes(const cJSON *value, size_t *length) {
    const char *digits = cJSON_GetStringValue(cJSON_GetObjectItem(value, "bytes"));
    char *bytes, number[40];
    size_t i;
    if (cJSON_IsNumber(value)) {
        snprintf(number, sizeof number, "%.17g", value->valuedouble);
        *length = strlen(number);
        return strdup(number);
    }
    if (digits == NULL) {
        bytes = strdup(cJSON_IsString(value) ? value->valuestring : "");
        *length = strlen(bytes);
        return bytes;
    }
    *length = strlen(digits) / 2;
    bytes = calloc(*length + 1, 1);
    for (i = 0; i < *length; i++) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        bytes[i] = (char)strtol(pair, NULL, 16);
    }
    return bytes;
}

void vectors_failed(const char *file, const cJSON *vector, const char *why) {
    char *text = cJSON_PrintUnformatted(vector);
    printf("%s: %.300s\n    %s\n", file, text, why);
    free(text);
}
