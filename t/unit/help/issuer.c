/*
 * issuer.c - see issuer.h.
 */
#include "issuer.h"
#include "pool.h"

static apr_status_t free_x509(void *x509)
{
    X509_free(x509);
    return APR_SUCCESS;
}

acme_key_t *make_key(void)
{
    acme_key_t *key;

    assert_int_equal(acme_key_generate(&key, ACME_KEY_P256, &res,
                                       pool), 0);
    return key;
}

static X509_NAME *make_name(const char *cn)
{
    X509_NAME *name = X509_NAME_new();

    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)cn, -1, -1, 0);
    return name;
}

static void add_names(X509 *x509, const char *names)
{
    apr_array_header_t *list = words(names);
    GENERAL_NAMES *sans = GENERAL_NAMES_new();
    int i;

    for (i = 0; i < list->nelts; i++) {
        GENERAL_NAME *san = GENERAL_NAME_new();
        ASN1_STRING *value = ASN1_STRING_type_new(V_ASN1_IA5STRING);

        ASN1_STRING_set(value, APR_ARRAY_IDX(list, i, const char *), -1);
        GENERAL_NAME_set0_value(san, GEN_DNS, value);
        sk_GENERAL_NAME_push(sans, san);
    }
    X509_add1_ext_i2d(x509, NID_subject_alt_name, sans, 0, 0);
    GENERAL_NAMES_free(sans);
}

static void add_ocsp(X509 *x509, const char *url)
{
    AUTHORITY_INFO_ACCESS *all = AUTHORITY_INFO_ACCESS_new();
    ACCESS_DESCRIPTION *one = ACCESS_DESCRIPTION_new();

    ASN1_OBJECT_free(one->method);
    one->method = OBJ_nid2obj(NID_ad_OCSP);
    one->location->type = GEN_URI;
    one->location->d.uniformResourceIdentifier = ASN1_IA5STRING_new();
    ASN1_STRING_set(one->location->d.uniformResourceIdentifier, url, -1);
    sk_ACCESS_DESCRIPTION_push(all, one);
    X509_add1_ext_i2d(x509, NID_info_access, all, 0, 0);
    AUTHORITY_INFO_ACCESS_free(all);
}

X509 *make_x509(const issue_t *issue, const char *cn, int is_ca)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    static long serials = 0x1000;
    X509_NAME *name = make_name(cn);
    X509 *x509 = X509_new();
    EVP_PKEY *signer = issue->issuer ? issue->issuer->key : issue->key;

    X509_set_version(x509, 2);
    X509_set_subject_name(x509, name);
    X509_set_issuer_name(x509, issue->issuer
                         ? X509_get_subject_name(issue->issuer->x509) : name);
    X509_NAME_free(name);
    ASN1_INTEGER_set(X509_get_serialNumber(x509),
                     issue->serial ? issue->serial : ++serials);
    X509_gmtime_adj(X509_getm_notBefore(x509),
                    issue->from ? issue->from : -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509),
                    issue->until ? issue->until : 90 * DAY);
    X509_set_pubkey(x509, issue->key);
    constraints->ca = is_ca ? 0xff : 0;
    X509_add1_ext_i2d(x509, NID_basic_constraints, constraints, 1, 0);
    BASIC_CONSTRAINTS_free(constraints);
    if (issue->names) {
        add_names(x509, issue->names);
    }
    if (issue->ocsp) {
        add_ocsp(x509, issue->ocsp);
    }
    assert_true(X509_sign(x509, signer, EVP_sha256()) > 0);
    apr_pool_cleanup_register(pool, x509, free_x509,
                              apr_pool_cleanup_null);
    return x509;
}

const issuer_t *make_issuer(const char *cn)
{
    issuer_t *issuer = apr_pcalloc(pool, sizeof(*issuer));
    issue_t self = { 0 };

    issuer->cn = cn;
    issuer->key = self.key = acme_key_evp(make_key());
    issuer->x509 = make_x509(&self, cn, 1);
    return issuer;
}

const char *pem_text(X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text;
    char *data;
    long len;

    PEM_write_bio_X509(bio, x509);
    len = BIO_get_mem_data(bio, &data);
    text = apr_pstrmemdup(pool, data, (apr_size_t)len);
    BIO_free(bio);
    return text;
}

const char *issue(const issue_t *what)
{
    const issuer_t *next = what->next ? what->next : what->issuer;
    const char *pem = pem_text(make_x509(what, "leaf", 0));
    int i, n = what->nnext ? what->nnext : 1;

    for (i = 0; next && i < n; i++) {
        pem = apr_pstrcat(pool, pem, pem_text(next->x509), NULL);
    }
    return pem;
}

static apr_status_t free_evp(void *evp)
{
    EVP_PKEY_free(evp);
    return APR_SUCCESS;
}

EVP_PKEY *csr_key(const unsigned char *der, apr_size_t len)
{
    X509_REQ *csr = d2i_X509_REQ(NULL, &der, (long)len);
    EVP_PKEY *evp;

    assert_non_null(csr);
    evp = X509_REQ_get_pubkey(csr);
    X509_REQ_free(csr);
    apr_pool_cleanup_register(pool, evp, free_evp,
                              apr_pool_cleanup_null);
    return evp;
}
