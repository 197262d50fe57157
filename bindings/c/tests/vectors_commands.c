/* Every vector of tests/vectors/commands, against a server that knows nothing but the handshake:
 * what it gets must be the argv of the vector, and what it answers must become the value. */
#define _GNU_SOURCE
#include "harness.h"
#include "vectors.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *expected, *answer;
static size_t expected_length, answer_length;
static bool arrived;
static steadis_client *client;

/* The length of the command at the beginning, 0 if it has not come in full. */
static size_t command_length(const char *text, size_t length) {
    const char *at = text, *end = text + length;
    long words = strtol(text + 1, NULL, 10);
    if (memchr(at, '\n', length) == NULL)
        return 0;
    at = (const char *)memchr(at, '\n', length) + 1;
    for (; words > 0; words--) {
        const char *line = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (line == NULL || line + 1 + strtol(at + 1, NULL, 10) + 2 > end)
            return 0;
        at = line + 1 + strtol(at + 1, NULL, 10) + 2;
    }
    return (size_t)(at - text);
}

static void reply_to(int socket, const char *command, size_t length) {
    static const char hello[] = "%1\r\n$5\r\nproto\r\n:3\r\n", ok[] = "+OK\r\n";
    static const char role[] = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    const char *canned = ok;
    size_t size;
    pthread_mutex_lock(&lock);
    if (expected != NULL && length == expected_length && memcmp(command, expected, length) == 0) {
        arrived = true;
        canned = answer;
        size = answer_length;
    } else {
        if (memmem(command, length, "HELLO", 5) != NULL)
            canned = hello;
        else if (memmem(command, length, "ROLE", 4) != NULL)
            canned = role;
        else if (memmem(command, length, "SETINFO", 7) == NULL)
            canned = "-ERR this is not what the vector sends\r\n";
        size = strlen(canned);
    }
    if (write(socket, canned, size) != (ssize_t)size)
        CHECK(!"an answer can be written");
    pthread_mutex_unlock(&lock);
}

static void *serve(void *user) {
    int socket = (int)(intptr_t)user;
    char buffer[1 << 16];
    size_t have = 0, length;
    ssize_t count;
    while ((count = read(socket, buffer + have, sizeof buffer - have)) > 0) {
        have += (size_t)count;
        while (have > 0 && (length = command_length(buffer, have)) > 0) {
            reply_to(socket, buffer, length);
            memmove(buffer, buffer + length, have -= length);
        }
    }
    close(socket);
    return NULL;
}

static void *listen_at(void *user) {
    int listener = (int)(intptr_t)user, socket;
    pthread_t thread;
    while ((socket = accept(listener, NULL, NULL)) >= 0) {
        pthread_create(&thread, NULL, serve, (void *)(intptr_t)socket);
        pthread_detach(thread);
    }
    return NULL;
}

static cJSON *text_of(const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    cJSON *object;
    char *digits;
    size_t i;
    while (at < end) {
        size_t more = *at < 0x80 ? 0 : *at < 0xc2 ? 9 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : *at < 0xf5 ? 3 : 9;
        if (more > (size_t)(end - at - 1) || *at == 0)
            break;
        for (at++; more > 0 && (*at & 0xc0) == 0x80; more--)
            at++;
        if (more > 0)
            break;
    }
    if (at == end)
        return cJSON_CreateString(text);
    digits = calloc(2 * length + 1, 1);
    for (i = 0; i < length; i++)
        sprintf(digits + 2 * i, "%02x", (unsigned char)text[i]);
    object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "bytes", digits);
    free(digits);
    return object;
}

static cJSON *wrapped(const char *name, cJSON *value) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, name, value);
    return object;
}

static cJSON *canonical(const steadis_reply *reply) {
    cJSON *list = NULL, *pair = NULL;
    char number[40];
    size_t i;
    switch (reply->type) {
    case STEADIS_REPLY_NIL:
        return cJSON_CreateNull();
    case STEADIS_REPLY_BOOL:
        return cJSON_CreateBool(reply->integer != 0);
    case STEADIS_REPLY_INTEGER:
        if (reply->integer > -(1LL << 53) && reply->integer < 1LL << 53)
            return cJSON_CreateNumber((double)reply->integer);
        snprintf(number, sizeof number, "%lld", (long long)reply->integer);
        return wrapped("integer", cJSON_CreateString(number));
    case STEADIS_REPLY_DOUBLE:
        if (reply->dval - reply->dval != 0)
            return wrapped("double", cJSON_CreateString(reply->str));
        return wrapped("double", cJSON_CreateNumber(reply->dval));
    case STEADIS_REPLY_ERROR:
        return wrapped("error", text_of(reply->str, reply->len));
    case STEADIS_REPLY_MAP:
        list = cJSON_CreateArray();
        for (i = 0; i < reply->elements; i++) {
            if (i % 2 == 0)
                cJSON_AddItemToArray(list, pair = cJSON_CreateArray());
            cJSON_AddItemToArray(pair, canonical(reply->element[i]));
        }
        return wrapped("map", list);
    case STEADIS_REPLY_ARRAY:
    case STEADIS_REPLY_PUSH:
    case STEADIS_REPLY_SET:
        list = cJSON_CreateArray();
        for (i = 0; i < reply->elements; i++)
            cJSON_AddItemToArray(list, canonical(reply->element[i]));
        return reply->type == STEADIS_REPLY_SET ? wrapped("set", list) : list;
    default:
        return text_of(reply->str, reply->len);
    }
}

static void expect(const cJSON *argv) {
    char *bytes = NULL;
    size_t size;
    const cJSON *word;
    FILE *out = open_memstream(&bytes, &size);
    fprintf(out, "*%d\r\n", cJSON_GetArraySize(argv));
    cJSON_ArrayForEach(word, argv) {
        size_t length;
        char *text = vectors_bytes(word, &length);
        fprintf(out, "$%zu\r\n", length);
        fwrite(text, 1, length, out);
        fputs("\r\n", out);
        free(text);
    }
    fclose(out);
    free(expected);
    expected = bytes;
    expected_length = size;
}

/* Calls the words; what comes of it in canonical form. NULL: connections are shared, so what would
 * change one is refused, and has a function of its own. */
static cJSON *call(const cJSON *argv, const cJSON *bytes) {
    const char *words[64];
    size_t lengths[64];
    int argc = 0, i;
    const cJSON *word;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    steadis_status status;
    cJSON *found;
    cJSON_ArrayForEach(word, argv) if (argc < 64) {
        words[argc] = vectors_bytes(word, &lengths[argc]);
        argc++;
    }
    pthread_mutex_lock(&lock);
    expect(argv);
    free(answer);
    answer = vectors_bytes(bytes, &answer_length);
    arrived = false;
    pthread_mutex_unlock(&lock);
    status = steadis_call(client, argc, words, lengths, &reply, &error);
    if (status == STEADIS_OK)
        found = canonical(reply);
    else if (status == STEADIS_SERVER || status == STEADIS_AUTH)
        found = wrapped("error", cJSON_CreateString(error->message));
    else
        found = status == STEADIS_USAGE ? NULL : cJSON_CreateString(error->description);
    CHECK(arrived == (found != NULL));
    for (i = 0; i < argc; i++)
        free((char *)words[i]);
    steadis_reply_free(reply);
    steadis_error_free(error);
    return found;
}

static void one(const cJSON *vector, const char *file) {
    static const char *const protocols[] = {"resp2", "resp3"};
    const cJSON *argv = cJSON_GetObjectItem(vector, "argv");
    cJSON *ok;
    size_t i;
    for (i = 0; i < 2; i++) {
        const cJSON *bytes = cJSON_GetObjectItem(vector, protocols[i]);
        cJSON *found;
        bool same;
        if (bytes == NULL || cJSON_IsNull(bytes))
            continue;
        found = call(argv, bytes);
        if (found == NULL)
            continue;
        same = cJSON_Compare(found, cJSON_GetObjectItem(vector, "value"), true);
        CHECK(same);
        if (!same) {
            char *text = cJSON_PrintUnformatted(found);
            vectors_failed(file, vector, text);
            free(text);
        }
        cJSON_Delete(found);
    }
    if (cJSON_HasObjectItem(vector, "calls") && cJSON_IsArray(argv)) {
        ok = cJSON_CreateString("+OK\r\n");
        cJSON_Delete(call(argv, ok));
        cJSON_Delete(ok);
    }
}

int main(void) {
    struct sockaddr_un address = {0};
    char folder[] = "/tmp/steadis-vectors-XXXXXX";
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    pthread_t thread;
    steadis_options *options = NULL;
    steadis_error *error = NULL;
    CHECK(mkdtemp(folder) != NULL);
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/fake", folder);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 64) == 0);
    pthread_create(&thread, NULL, listen_at, (void *)(intptr_t)listener);
    WELL(steadis_options_new(&options, &error));
    WELL(steadis_options_set_json(options, "env", "false", &error));
    WELL(steadis_options_set(options, "path", address.sun_path, &error));
    WELL(steadis_connect(options, &client, &error));
    WELL(steadis_ready(client, 5000, &error) == STEADIS_SERVER ? STEADIS_OK : STEADIS_INTERNAL);
    vectors_each("commands", one);
    steadis_client_free(client);
    steadis_options_free(options);
    unlink(address.sun_path);
    rmdir(folder);
    free(expected);
    free(answer);
    return result();
}
