/*
 * test_digest.c - SHA-256 of the vectors of FIPS 180-4, and of files.
 */
#include "acme_cleanse.h"
#include "acme_digest.h"
#include "keys.h"

static void digests_are_those_of_the_standard(void **state)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        { "",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc",
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_digest_hex(rows[i].text,
                                            strlen(rows[i].text),
                                            ACME_DIGEST_OCTETS, pool),
                            rows[i].hex);
    }
    assert_string_equal(acme_digest_hex("abc", 3, 4, pool), "ba7816bf");
}

static void a_file_has_the_digest_of_its_octets(void **state)
{
    unsigned char of_file[ACME_DIGEST_OCTETS], digest[ACME_DIGEST_OCTETS];
    const char *path = path_of("long");
    char octets[20000];         /* more than is read at a time */
    FILE *file = fopen(path, "w");

    (void)state;
    memset(octets, 'x', sizeof(octets));
    fwrite(octets, 1, sizeof(octets), file);
    fclose(file);
    assert_true(acme_digest_file(of_file, path, pool));
    assert_true(acme_digest_make(digest, octets, sizeof(octets)));
    assert_memory_equal(of_file, digest, sizeof(digest));
    assert_false(acme_digest_file(of_file, path_of("none"), pool));
    assert_false(acme_digest_file(of_file, folder, pool));
}

static void what_is_cleansed_is_gone(void **state)
{
    char secret[] = "secret";
    static const char zeros[sizeof(secret)];

    (void)state;
    acme_cleanse(secret, 3);
    assert_string_equal(secret + 3, "ret");
    acme_cleanse(secret, sizeof(secret));
    assert_memory_equal(secret, zeros, sizeof(zeros));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CRYPTO_TEST(digests_are_those_of_the_standard),
        CRYPTO_TEST(a_file_has_the_digest_of_its_octets),
        CRYPTO_TEST(what_is_cleansed_is_gone),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
