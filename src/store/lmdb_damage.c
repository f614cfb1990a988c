#include "store/lmdb_damage.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/lmdb_result.h"

/*
 * The folder of images is made when the tables are durable in data.mdb, and data.mdb's name in the
 * folder (open_store()). So where it is, even empty, no crash of ours has left data.mdb empty or
 * not there: somebody else has, or a restore that was not finished, which copies it last. Without
 * it a first start ended before there was anything to lose.
 */
int lmdb_damage_lost(const char *folder)
{
    struct stat status;
    char *tables = mem_format("%s/data.mdb", folder);
    char *images = mem_format("%s/images", folder);
    bool found = stat(tables, &status) == 0;
    bool has_no_tables = found ? status.st_size == 0 : errno == ENOENT;
    bool was_store = stat(images, &status) == 0;
    mem_free(images);
    mem_free(tables);
    return has_no_tables && was_store ? LMDB_LOST : MDB_SUCCESS;
}

/*
 * The rest walks a file that is shorter than its meta page says. That alone is no damage: LMDB does
 * not write pages that a transaction took at the end and gave back before it was over. So every
 * page that can be reached is looked for, with pread(), which does not die behind the end. What
 * follows is the format of LMDB 0.9, which does not change: it would be another version.
 */
enum {
    META_VERSION = 1,
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
    NODE_BIG = 1,  /* the value is on overflow pages */
    NODE_TREE = 2, /* it is a tree of its own: a table */
};
#define META_MAGIC UINT32_C(0xBEEFC0DE)
#define NO_PAGE    SIZE_MAX

struct page_head {
    size_t number;
    uint16_t pad, flags;
    union {
        struct {
            uint16_t lower, upper; /* where the free room in it begins and ends */
        };
        uint32_t pages; /* of overflow: how many */
    };
};

struct tree {
    uint32_t pad;
    uint16_t flags, depth;
    size_t branches, leaves, overflows, entries, root;
};

struct meta {
    uint32_t magic, version;
    void *address;
    size_t map_bytes;
    struct tree free_pages, tables;
    size_t last_page, transaction;
};

struct node {
    uint32_t low;   /* of a branch: the lower bits of the page's number; else the value's length */
    uint16_t flags; /* of a branch: the upper ones */
    uint16_t key_bytes;
};

struct walk {
    int fd;
    size_t page_bytes;
    size_t file_pages; /* whole ones, that are there */
    uint8_t *page;
    size_t *due; /* pages yet to be looked at */
    size_t due_count;
};

static int read_bytes(const struct walk *walk, size_t page, void *out_bytes, size_t bytes)
{
    if (page >= walk->file_pages) {
        return LMDB_CUT;
    }
    ssize_t got = pread(walk->fd, out_bytes, bytes, (off_t)(page * walk->page_bytes));
    return got == (ssize_t)bytes ? MDB_SUCCESS : got < 0 ? errno : LMDB_CUT;
}

static void add(struct walk *walk, size_t page)
{
    if (page != NO_PAGE) {
        walk->due = mem_resize_array(walk->due, walk->due_count + 1, sizeof(*walk->due));
        walk->due[walk->due_count++] = page;
    }
}

static int see_overflow(const struct walk *walk, size_t page)
{
    struct page_head head;
    int code = read_bytes(walk, page, &head, sizeof(head));
    if (code != MDB_SUCCESS) {
        return code;
    }
    if ((head.flags & PAGE_OVERFLOW) == 0) {
        return MDB_CORRUPTED;
    }
    return head.pages > walk->file_pages - page ? LMDB_CUT : MDB_SUCCESS;
}

static int see_node(struct walk *walk, bool is_branch, size_t i)
{
    uint16_t at;
    struct node node;
    struct tree tree;
    size_t page;
    memcpy(&at, walk->page + sizeof(struct page_head) + i * sizeof(at), sizeof(at));
    size_t value = at + sizeof(node);
    if (value > walk->page_bytes) {
        return MDB_CORRUPTED;
    }
    memcpy(&node, walk->page + at, sizeof(node));
    if (is_branch) {
        add(walk, (size_t)(node.low | (uint64_t)node.flags << 32));
        return MDB_SUCCESS;
    }
    value += node.key_bytes;
    bool is_tree = (node.flags & NODE_TREE) != 0;
    if ((node.flags & (NODE_TREE | NODE_BIG)) == 0) {
        return MDB_SUCCESS;
    }
    if (value + (is_tree ? sizeof(tree) : sizeof(page)) > walk->page_bytes) {
        return MDB_CORRUPTED;
    }
    if (is_tree) {
        memcpy(&tree, walk->page + value, sizeof(tree));
        add(walk, tree.root);
        return MDB_SUCCESS;
    }
    memcpy(&page, walk->page + value, sizeof(page));
    return see_overflow(walk, page);
}

static int see_page(struct walk *walk, size_t page)
{
    struct page_head head;
    int code = read_bytes(walk, page, walk->page, walk->page_bytes);
    if (code != MDB_SUCCESS) {
        return code;
    }
    memcpy(&head, walk->page, sizeof(head));
    if ((head.flags & (PAGE_BRANCH | PAGE_LEAF)) == 0 || head.lower < sizeof(head) ||
        head.lower > walk->page_bytes) {
        return MDB_CORRUPTED;
    }
    size_t nodes = (head.lower - sizeof(head)) / sizeof(uint16_t);
    for (size_t i = 0; i < nodes && code == MDB_SUCCESS; i++) {
        code = see_node(walk, (head.flags & PAGE_BRANCH) != 0, i);
    }
    return code;
}

static int see_all(struct walk *walk, const struct meta *meta)
{
    int code = MDB_SUCCESS;
    size_t seen = 0;
    add(walk, meta->free_pages.root);
    add(walk, meta->tables.root);
    while (walk->due_count > 0 && code == MDB_SUCCESS) {
        code = see_page(walk, walk->due[--walk->due_count]);
        if (++seen > walk->file_pages) {
            code = MDB_CORRUPTED; /* they lead in a circle */
        }
    }
    return code;
}

/* What `reader` sees. None: a server has written twice since, and has looked itself. */
static int walk_from_meta(struct walk *walk, size_t transaction)
{
    struct meta meta;
    for (size_t i = 0; i < 2; i++) {
        int code = read_bytes(walk, i, walk->page, walk->page_bytes);
        if (code != MDB_SUCCESS) {
            return code;
        }
        memcpy(&meta, walk->page + sizeof(struct page_head), sizeof(meta));
        if (meta.magic == META_MAGIC && meta.version == META_VERSION &&
            meta.transaction == transaction) {
            return see_all(walk, &meta);
        }
    }
    return MDB_SUCCESS;
}

int lmdb_damage_cut(MDB_txn *reader)
{
    MDB_env *env = mdb_txn_env(reader);
    struct walk walk = {.fd = -1};
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int code = mdb_env_info(env, &info);
    if (code == MDB_SUCCESS) {
        code = mdb_env_stat(env, &stat);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_env_get_fd(env, &walk.fd);
    }
    if (code == MDB_SUCCESS && fstat(walk.fd, &file) != 0) {
        code = errno;
    }
    if (code != MDB_SUCCESS) {
        return code;
    }
    walk.page_bytes = stat.ms_psize;
    walk.file_pages = (size_t)file.st_size / walk.page_bytes;
    if (info.me_last_pgno < walk.file_pages) {
        return MDB_SUCCESS;
    }
    walk.page = mem_alloc(walk.page_bytes);
    code = walk_from_meta(&walk, mdb_txn_id(reader));
    mem_free(walk.due);
    mem_free(walk.page);
    return code;
}
