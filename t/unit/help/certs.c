/*
 * certs.c - see certs.h.
 */
#include "certs.h"

struct certs_t ca;

static apr_status_t free_cert(void *x509)
{
    X509_free(x509);
    return APR_SUCCESS;
}

static void add_name(X509_NAME *name, const char *cn)
{
    if (*cn) {
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                   (const unsigned char *)cn, -1, -1, 0);
    }
}

static void add_san(X509 *x509, const spec_t *spec)
{
    GENERAL_NAMES *sans = GENERAL_NAMES_new();
    GENERAL_NAME *san = GENERAL_NAME_new();
    ASN1_STRING *value;

    value = ASN1_STRING_type_new(spec->san_type == GEN_IPADD
                                 ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    ASN1_STRING_set(value, spec->san, spec->san_len);
    GENERAL_NAME_set0_value(san, spec->san_type, value);
    sk_GENERAL_NAME_push(sans, san);
    X509_add1_ext_i2d(x509, NID_subject_alt_name, sans, 0, 0);
    GENERAL_NAMES_free(sans);
}

static void set_decimal_serial(X509 *x509, const char *serial)
{
    BIGNUM *bn = NULL;

    BN_dec2bn(&bn, serial);
    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x509));
    BN_free(bn);
}

static void add_exts(X509 *x509, const spec_t *spec)
{
    X509_EXTENSION *ext;
    size_t i;

    for (i = 0; i < COUNT(spec->exts) && spec->exts[i].nid; i++) {
        ext = X509V3_EXT_nconf_nid(NULL, NULL, spec->exts[i].nid,
                                   spec->exts[i].value);
        assert_non_null(ext);
        X509_add_ext(x509, ext, -1);
        X509_EXTENSION_free(ext);
    }
}

X509 *make_cert(const spec_t *spec)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    X509_NAME *name = X509_NAME_new();
    X509 *x509 = X509_new();

    add_name(name, spec->cn);
    X509_set_version(x509, 2);
    X509_set_subject_name(x509, name);
    X509_set_issuer_name(x509, spec->issuer
                               ? X509_get_subject_name(spec->issuer) : name);
    X509_NAME_free(name);
    set_decimal_serial(x509, spec->serial ? spec->serial : "1");
    ASN1_TIME_set(X509_getm_notBefore(x509), 1700000000);
    ASN1_TIME_set(X509_getm_notAfter(x509), 1700000000 + 90 * 86400);
    X509_set_pubkey(x509, spec->key);
    constraints->ca = spec->is_ca ? 0xff : 0;
    X509_add1_ext_i2d(x509, NID_basic_constraints, constraints, 1, 0);
    BASIC_CONSTRAINTS_free(constraints);
    if (spec->san_type) {
        add_san(x509, spec);
    }
    add_exts(x509, spec);
    assert_true(X509_sign(x509, spec->signer ? spec->signer : spec->key,
                          spec->is_sha1 ? EVP_sha1() : EVP_sha256()) > 0);
    apr_pool_cleanup_register(pool, x509, free_cert, apr_pool_cleanup_null);
    return x509;
}

const char *pem_of(X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, x509);
    return bio_text(bio);
}

X509 *make_leaf(spec_t spec)
{
    spec.cn = spec.cn ? spec.cn : "example.org";
    spec.issuer = spec.issuer ? spec.issuer : ca.middle;
    spec.key = spec.key ? spec.key : acme_key_evp(ca.key);
    spec.signer = spec.signer ? spec.signer : ca.middle_key;
    return make_cert(&spec);
}

int x509_setup(void **state)
{
    int rc = crypto_setup(state);
    spec_t root = { .cn = "Test Root", .is_ca = 1 };
    spec_t middle = { .cn = "Test CA 1", .is_ca = 1 };

    ca.key = new_key(ACME_KEY_P256);
    root.key = ca.root_key = odd_key(EVP_PKEY_EC, 0, NID_X9_62_prime256v1);
    ca.root = middle.issuer = make_cert(&root);
    middle.key = ca.middle_key = odd_key(EVP_PKEY_EC, 0, NID_X9_62_prime256v1);
    middle.signer = ca.root_key;
    ca.middle = make_cert(&middle);
    ca.leaf = make_leaf((spec_t){ .san_type = GEN_DNS, .san = "example.org",
                                  .san_len = -1 });
    ca.root_pem = pem_of(ca.root);
    ca.middle_pem = pem_of(ca.middle);
    ca.leaf_pem = pem_of(ca.leaf);
    return rc;
}

acme_chain_t *parse(const char *pem)
{
    acme_chain_t *chain;

    if (acme_chain_parse(&chain, pem, strlen(pem), &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return chain;
}
