#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static _Noreturn void out_of_memory(size_t bytes)
{
    fprintf(stderr, "out of memory: %zu bytes wanted\n", bytes);
    abort();
}

void *mem_alloc(size_t bytes)
{
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (memory == NULL) {
        out_of_memory(bytes);
    }
    return memory;
}

void *mem_alloc_zero(size_t count, size_t bytes)
{
    void *memory = calloc(count > 0 ? count : 1, bytes > 0 ? bytes : 1);
    if (memory == NULL) {
        out_of_memory(bytes);
    }
    return memory;
}

void *mem_resize(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes > 0 ? bytes : 1);
    if (memory == NULL) {
        out_of_memory(bytes);
    }
    return memory;
}

void *mem_resize_array(void *old, size_t count, size_t bytes)
{
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        out_of_memory(SIZE_MAX);
    }
    return mem_resize(old, all);
}

char *mem_copy_text(const char *text)
{
    return mem_copy(text, strlen(text) + 1);
}

void *mem_copy(const void *from, size_t bytes)
{
    void *memory = mem_alloc(bytes);
    if (bytes > 0) {
        memcpy(memory, from, bytes);
    }
    return memory;
}

char *mem_format(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        out_of_memory(strlen(format));
    }
    va_end(arguments);
    return text;
}

void mem_free(void *memory)
{
    free(memory);
}

void mem_wipe(void *memory, size_t bytes)
{
    if (memory != NULL && bytes > 0) {
        explicit_bzero(memory, bytes);
    }
}

void mem_wipe_free(void *memory, size_t bytes)
{
    mem_wipe(memory, bytes);
    free(memory);
}

/* jemalloc's, in the programs; sanitizers bring an allocator without it. */
extern int mallctl(const char *name, void *old, size_t *old_bytes, void *new, size_t new_bytes)
    __attribute__((weak));

/* An arena at a time: this name does not take the index that stands for all of them elsewhere. */
void mem_end(void)
{
    unsigned arenas = 0;
    size_t bytes = sizeof(arenas);
    ssize_t never = -1;

    if (mallctl == NULL || mallctl("arenas.narenas", &arenas, &bytes, NULL, 0) != 0) {
        return; /* It only takes longer. */
    }
    for (unsigned i = 0; i < arenas; i++) {
        char name[sizeof("arena.4294967295.dirty_decay_ms")];

        (void)snprintf(name, sizeof(name), "arena.%u.dirty_decay_ms", i);
        /* Fails for an arena that was never used. */
        (void)mallctl(name, NULL, NULL, &never, sizeof(never));
    }
}
