/* The headers alone, in C and in C++, and twice: the version that it and the library say. */
#include <steadis_commands.h>
#include <steadis.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", STEADIS_VERSION_MAJOR, STEADIS_VERSION_MINOR,
             STEADIS_VERSION_PATCH);
    return argc == 2 && strcmp(version, argv[1]) == 0 && strcmp(steadis_version(), version) == 0
               ? 0
               : 1;
}
