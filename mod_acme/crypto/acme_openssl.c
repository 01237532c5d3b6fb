/*
 * acme_openssl.c - PEM files within bounds, OpenSSL's reasons, and calls that
 * differ from release to release.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#endif

#include "acme_name.h"
#include "acme_openssl.h"

#define CHUNK_OCTETS 4096
#define SECRET_FILE_MAX (16 * 1024)
#define GROUP_NAME_SIZE 64
#define SECONDS_A_DAY 86400

const char *acme_openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return reason ? reason : "OpenSSL gave no reason";
}

/* Not through stdio: its buffer would keep a key's text. */
static apr_status_t read_all(BIO *bio, int fd, const char *path,
                             acme_result_t *res)
{
    char chunk[CHUNK_OCTETS];
    apr_status_t rv = APR_SUCCESS;
    size_t total = 0;
    ssize_t n;

    while (rv == APR_SUCCESS && (n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0) {
            if (errno != EINTR) {
                rv = acme_fail_errno(res, errno, "%s: cannot read", path);
            }
            continue;
        }
        total += (size_t)n;
        if (total > ACME_PEM_FILE_MAX) {
            rv = acme_fail_never(res, APR_EGENERAL,
                                 "%s: larger than %d octets", path,
                                 ACME_PEM_FILE_MAX);
        }
        else if (BIO_write(bio, chunk, (int)n) != n) {
            rv = acme_fail(res, APR_ENOMEM, "%s: %s", path,
                           acme_openssl_reason());
        }
    }
    OPENSSL_cleanse(chunk, sizeof(chunk));
    return rv;
}

apr_status_t acme_openssl_file(BIO **pbio, const char *path,
                               acme_result_t *res)
{
    BIO *bio = NULL;
    struct stat st;
    apr_status_t rv;
    int fd;

    *pbio = NULL;

    /* Opening a fifo would wait for its writer. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        rv = acme_fail_errno(res, errno, "%s: cannot open", path);
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        rv = acme_fail_never(res, APR_EGENERAL, "%s: not a regular file",
                             path);
        goto out;
    }
    /* Of a key; that of a long chain would use up what is reserved. */
    bio = BIO_new(st.st_size <= SECRET_FILE_MAX ? BIO_s_secmem()
                                                : BIO_s_mem());
    if (!bio) {
        rv = acme_fail(res, APR_ENOMEM, "%s: %s", path,
                       acme_openssl_reason());
        goto out;
    }
    BIO_set_mem_eof_return(bio, 0);
    rv = read_all(bio, fd, path, res);
    if (rv != APR_SUCCESS) {
        goto out;
    }

    *pbio = bio;
    bio = NULL;
out:
    BIO_free(bio);
    if (fd >= 0) {
        close(fd);
    }
    return rv;
}

int acme_openssl_no_passphrase(char *buf, int size, int rwflag, void *asked)
{
    (void)buf;
    (void)size;
    (void)rwflag;

    if (asked) {
        *(int *)asked = 1;
    }
    return -1;
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

/* The name of the only decoder that can read it; NULL: leave it to OpenSSL. */
static const char *decoder_of(const unsigned char *der, long len)
{
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, len);
    const ASN1_OBJECT *type = NULL;
    int nid = NID_undef;

    if (info && PKCS8_pkey_get0(&type, NULL, NULL, NULL, info)) {
        nid = OBJ_obj2nid(type);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return nid == NID_X9_62_id_ecPublicKey ? "EC"
        : nid == NID_rsaEncryption ? "RSA" : NULL;
}

static EVP_PKEY *decode(const unsigned char *der, long len)
{
    const char *decoder = decoder_of(der, len);
    size_t left = (size_t)len;
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *ctx;

    if (!decoder) {
        return NULL;
    }
    ctx = OSSL_DECODER_CTX_new_for_pkey(&key, "DER", "PrivateKeyInfo", decoder,
                                        EVP_PKEY_KEYPAIR, NULL, NULL);
    if (ctx && !OSSL_DECODER_from_data(ctx, &der, &left)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    OSSL_DECODER_CTX_free(ctx);
    return key;
}

/*
 * The key, where it is PKCS #8 and EC or RSA, as ours are: OpenSSL makes all its
 * decoders ready for a PEM text, which takes three times as long as to decode
 * it. NULL: nothing is known of it. bio stays as it was.
 */
static EVP_PKEY *read_common_key(BIO *bio)
{
    EVP_PKEY *key = NULL;
    unsigned char *der;
    char *data, *name;
    const long len = BIO_get_mem_data(bio, &data);
    BIO *view = len > 0 ? BIO_new_mem_buf(data, (int)len) : NULL;
    long der_len;

    ERR_set_mark();
    if (view && PEM_bytes_read_bio_secmem(&der, &der_len, &name,
                                          PEM_STRING_EVP_PKEY, view,
                                          acme_openssl_no_passphrase, NULL)) {
        if (!strcmp(name, PEM_STRING_PKCS8INF)) {
            key = decode(der, der_len);
        }
        OPENSSL_secure_free(name);
        OPENSSL_secure_clear_free(der, (size_t)der_len);
    }
    BIO_free(view);
    ERR_pop_to_mark();
    return key;
}

#else

static EVP_PKEY *read_common_key(BIO *bio)
{
    (void)bio;
    return NULL;
}

#endif

EVP_PKEY *acme_openssl_key(BIO *bio, int *pencrypted)
{
    EVP_PKEY *key = read_common_key(bio);

    *pencrypted = 0;
    return key ? key
        : PEM_read_bio_PrivateKey(bio, NULL, acme_openssl_no_passphrase,
                                  pencrypted);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

typedef struct {
    EVP_PKEY_CTX *ctx;
    EVP_PKEY *into;
} import_t;

/* OpenSSL does not overwrite what it has exported. */
static int import_key(const OSSL_PARAM params[], void *data)
{
    import_t *import = data;
    const int ok = EVP_PKEY_fromdata(import->ctx, &import->into,
                                     EVP_PKEY_KEYPAIR, (OSSL_PARAM *)params)
                   == 1;

    for (; params->key; params++) {
        if (params->data_type == OSSL_PARAM_UNSIGNED_INTEGER
            || params->data_type == OSSL_PARAM_OCTET_STRING) {
            OPENSSL_cleanse(params->data, params->data_size);
        }
    }
    return ok;
}

/* In place, as a key that is set with X509_set_pubkey() would have it encoded
   anew. Half of it done is found by the comparison. */
static EVP_PKEY *take_over(X509 *x509, EVP_PKEY *key)
{
    import_t import = { EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL),
                        X509_get0_pubkey(x509) };
    const int ok = import.ctx && import.into
        && EVP_PKEY_fromdata_init(import.ctx) == 1
        && EVP_PKEY_export(key, EVP_PKEY_KEYPAIR, import_key, &import)
        && X509_get0_pubkey(x509) == import.into;

    EVP_PKEY_CTX_free(import.ctx);
    return !X509_check_private_key(x509, key) ? NULL : ok ? import.into : key;
}

int acme_openssl_curve(EVP_PKEY *evp)
{
    char name[GROUP_NAME_SIZE];

    return EVP_PKEY_get_group_name(evp, name, sizeof(name), NULL)
           ? OBJ_txt2nid(name) : NID_undef;
}

int acme_openssl_public(BIGNUM **pa, BIGNUM **pb, EVP_PKEY *evp)
{
    int ec = EVP_PKEY_base_id(evp) == EVP_PKEY_EC;

    *pa = NULL;
    *pb = NULL;

    return EVP_PKEY_get_bn_param(evp, ec ? OSSL_PKEY_PARAM_EC_PUB_X
                                         : OSSL_PKEY_PARAM_RSA_N, pa)
           && EVP_PKEY_get_bn_param(evp, ec ? OSSL_PKEY_PARAM_EC_PUB_Y
                                            : OSSL_PKEY_PARAM_RSA_E, pb);
}

#else

static EVP_PKEY *take_over(X509 *x509, EVP_PKEY *key)
{
    (void)x509;
    return key;
}

int acme_openssl_curve(EVP_PKEY *evp)
{
    const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(evp);

    return EC_GROUP_get_curve_name(EC_KEY_get0_group(ec));
}

int acme_openssl_public(BIGNUM **pa, BIGNUM **pb, EVP_PKEY *evp)
{
    const BIGNUM *n, *e;
    const EC_KEY *ec;

    if (EVP_PKEY_base_id(evp) == EVP_PKEY_EC) {
        ec = EVP_PKEY_get0_EC_KEY(evp);
        *pa = BN_new();
        *pb = BN_new();
        return *pa && *pb
               && EC_POINT_get_affine_coordinates(EC_KEY_get0_group(ec),
                                                  EC_KEY_get0_public_key(ec),
                                                  *pa, *pb, NULL);
    }
    RSA_get0_key(EVP_PKEY_get0_RSA(evp), &n, &e, NULL);
    *pa = BN_dup(n);
    *pb = BN_dup(e);
    return *pa && *pb;
}

#endif

EVP_PKEY *acme_openssl_unite(X509 *x509, EVP_PKEY *key)
{
    EVP_PKEY *one = X509_check_private_key(x509, key) ? take_over(x509, key)
                                                      : NULL;

    if (one) {
        EVP_PKEY_up_ref(one);
    }
    return one;
}

const char *acme_openssl_pem(X509 *x509, apr_pool_t *p)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *pem = NULL;
    char *data;
    long len;

    if (bio && PEM_write_bio_X509(bio, x509)) {
        len = BIO_get_mem_data(bio, &data);
        pem = apr_pstrmemdup(p, data, (apr_size_t)len);
    }
    BIO_free(bio);
    return pem;
}

static GENERAL_NAME *make_san(const char *name)
{
    unsigned char octets[16];
    int len = acme_name_ip_octets(octets, name);
    GENERAL_NAME *san = GENERAL_NAME_new();
    ASN1_STRING *value;

    value = ASN1_STRING_type_new(len ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    if (!san || !value
        || !ASN1_STRING_set(value, len ? (const void *)octets : name,
                            len ? len : -1)) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(san);
        return NULL;
    }
    GENERAL_NAME_set0_value(san, len ? GEN_IPADD : GEN_DNS, value);
    return san;
}

GENERAL_NAMES *acme_openssl_sans(const apr_array_header_t *names)
{
    GENERAL_NAMES *sans = GENERAL_NAMES_new();
    GENERAL_NAME *san;
    int i;

    for (i = 0; sans && i < names->nelts; i++) {
        san = make_san(APR_ARRAY_IDX(names, i, const char *));
        if (!san || !sk_GENERAL_NAME_push(sans, san)) {
            GENERAL_NAME_free(san);
            GENERAL_NAMES_free(sans);
            sans = NULL;
        }
    }
    return sans;
}

X509_NAME *acme_openssl_name(const char *cn)
{
    X509_NAME *name = X509_NAME_new();

    if (name && cn
        && !X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                                       (const unsigned char *)cn, -1, -1, 0)) {
        X509_NAME_free(name);
        return NULL;
    }
    return name;
}

int acme_openssl_set_times(X509 *x509, apr_time_t from, apr_time_t until)
{
    return ASN1_TIME_set(X509_getm_notBefore(x509),
                         (time_t)apr_time_sec(from))
        && ASN1_TIME_set(X509_getm_notAfter(x509),
                         (time_t)apr_time_sec(until));
}

int acme_openssl_time(apr_time_t *pt, const ASN1_TIME *time)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days, seconds, good;

    *pt = 0;

    /* OpenSSL would take NULL for the present. */
    good = epoch && time && ASN1_TIME_diff(&days, &seconds, epoch, time);
    if (good) {
        *pt = apr_time_from_sec((apr_int64_t)days * SECONDS_A_DAY + seconds);
    }
    ASN1_TIME_free(epoch);
    return good;
}
