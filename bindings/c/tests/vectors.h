/* Reading the vectors that all languages share. */
#ifndef VECTORS_H
#define VECTORS_H

#include <cjson/cJSON.h>
#include <stddef.h>

/* Calls `each` with every case of every file of a folder below tests/vectors. */
void vectors_each(const char *folder, void (*each)(const cJSON *vector, const char *file));

/* The bytes of a text or of {"bytes": "00ff"}; to be freed. */
char *vectors_bytes(const cJSON *value, size_t *length);

/* A case that failed, and why. */
void vectors_failed(const char *file, const cJSON *vector, const char *why);

#endif
