dnl acme.m4 - the checks of configure.ac, one macro each.
dnl
dnl A check that fails says what is missing and which package brings it.

dnl Where httpd's own build tool is, and what it says of this httpd. The exp_
dnl names are used, for the plain ones contain ${prefix}.
AC_DEFUN([ACME_PATH_APXS], [
  AC_ARG_WITH([apxs],
    [AS_HELP_STRING([--with-apxs=PATH], [httpd's apxs @<:@search PATH@:>@])],
    [AS_CASE([$withval],
      [no], [AC_MSG_ERROR([apxs is needed: it knows httpd's folders])],
      [yes], [],
      [APXS=$withval])])
  AC_PATH_PROGS([APXS], [apxs apxs2], [none],
    [$PATH:/usr/sbin:/usr/local/sbin:/usr/local/apache2/bin])
  HTTPD_INCLUDEDIR=`"$APXS" -q exp_includedir 2>/dev/null`
  AS_IF([test -z "$HTTPD_INCLUDEDIR"],
    [AC_MSG_ERROR([apxs is missing or does not work ($APXS): install
apache2-dev (Debian), httpd-devel (Fedora) or their like, or say
--with-apxs=PATH])])
  HTTPD_CPPFLAGS="`"$APXS" -q EXTRA_CPPFLAGS` -isystem $HTTPD_INCLUDEDIR"
  HTTPD_VERSION=`"$APXS" -q HTTPD_VERSION 2>/dev/null`
  AC_ARG_VAR([LIBEXECDIR], [folder of httpd's modules, if not as apxs says])
  : ${LIBEXECDIR=`"$APXS" -q exp_libexecdir`}
  AC_SUBST([HTTPD_CPPFLAGS])
])

dnl Every library comes through pkg-config, APR's large file flags too.
AC_DEFUN([ACME_CHECK_LIBS], [
  PKG_PROG_PKG_CONFIG([0.29])
  PKG_CHECK_MODULES([APR], [apr-1 >= 1.5 apr-util-1 >= 1.5])
  PKG_CHECK_MODULES([DEPS], [libcurl >= 7.61 libcares >= 1.13 dnl
jansson >= 2.11 openssl >= 1.1.1 libidn2 >= 2.0 libpsl >= 0.20])
  ACME_CHECK_CURL_TLS
  ACME_CHECK_AS_NEEDED
])

dnl A libcurl of another flavour would bring a second TLS stack into httpd.
AC_DEFUN([ACME_CHECK_CURL_TLS], [
  AC_PATH_PROG([CURL_CONFIG], [curl-config], [none],
    [`$PKG_CONFIG --variable=exec_prefix libcurl`/bin:$PATH])
  AC_MSG_CHECKING([whether libcurl uses OpenSSL])
  AS_CASE([`"$CURL_CONFIG" --ssl-backends 2>/dev/null || echo none`],
    [*OpenSSL*], [AC_MSG_RESULT([yes])],
    [none], [AC_MSG_RESULT([not known, no curl-config])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([libcurl must use OpenSSL, as httpd does
(libcurl4-openssl-dev in Debian)])])
])

dnl acmectl takes a few objects of each floor, and no library beyond theirs.
AC_DEFUN([ACME_CHECK_AS_NEEDED], [
  AC_MSG_CHECKING([whether the linker knows --as-needed])
  acme_ldflags=$LDFLAGS
  LDFLAGS="$LDFLAGS -Wl,--as-needed"
  AC_LINK_IFELSE([AC_LANG_PROGRAM()],
    [AC_MSG_RESULT([yes])
     ACME_LDFLAGS=-Wl,--as-needed],
    [AC_MSG_RESULT([no])])
  LDFLAGS=$acme_ldflags
  AC_SUBST([ACME_LDFLAGS])
])

dnl The module magic number, and the header of mod_watchdog.
AC_DEFUN([ACME_CHECK_HTTPD], [
  acme_cppflags=$CPPFLAGS
  CPPFLAGS="$CPPFLAGS $HTTPD_CPPFLAGS $APR_CFLAGS $DEPS_CFLAGS"
  AC_CHECK_HEADER([httpd.h], [],
    [AC_MSG_ERROR([httpd.h is not in $HTTPD_INCLUDEDIR])])
  AC_MSG_CHECKING([whether httpd is 2.4.49 or newer])
  AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#include <ap_mmn.h>
#if !AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
#error no child_stopping hook
#endif]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([httpd $HTTPD_VERSION is too old: 2.4.49 brought the hook
child_stopping, and without it a worker crashes at its end])])
  AC_CHECK_HEADER([mod_watchdog.h], [],
    [AC_MSG_ERROR([mod_watchdog.h is not in $HTTPD_INCLUDEDIR])],
    [#include <httpd.h>])
  ACME_CHECK_ALPN
  CPPFLAGS=$acme_cppflags
])

dnl Wanted, not needed: without mod_ssl's header, or with a TLS library that
dnl can't take a connection's certificates back, there is no tls-alpn-01, and
dnl mod_ssl's certificate is the one that a virtual host has.
AC_DEFUN([ACME_CHECK_ALPN], [
  acme_libs=$LIBS
  LIBS="$LIBS $DEPS_LIBS"
  ACME_ALPN_NOTE="left out: SSL_certs_clear is not in the TLS library"
  AC_CHECK_FUNC([SSL_certs_clear], [ACME_ALPN=-DACME_HAVE_ALPN])
  AC_CHECK_HEADER([mod_ssl_openssl.h], [],
    [ACME_ALPN=
     ACME_ALPN_NOTE="left out: mod_ssl_openssl.h is missing (Debian has it in
             apache2-ssl-dev, others with httpd's own headers)"],
    [#include <httpd.h>
#include <http_config.h>])
  AS_IF([test -n "$ACME_ALPN"],
    [ACME_ALPN_NOTE=yes
     ACME_CERT_CALLBACK=-DACME_HAVE_CERT_CALLBACK
     AC_CHECK_FUNCS([SSL_CTX_set_cert_cb SSL_use_cert_and_key], [],
       [ACME_CERT_CALLBACK=])])
  LIBS=$acme_libs
  AC_SUBST([ACME_ALPN])
  AC_SUBST([ACME_CERT_CALLBACK])
])

dnl Wanted, not needed: without it there are no unit tests, and check says so.
AC_DEFUN([ACME_CHECK_CMOCKA], [
  PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5],
    [acme_cmocka=yes
     ACME_UNIT_NOTE=cmocka],
    [acme_cmocka=no
     ACME_UNIT_NOTE="none, cmocka is missing (libcmocka-dev)"])
  AM_CONDITIONAL([HAVE_CMOCKA], [test "$acme_cmocka" = yes])
])

dnl The default of AcmeStateDir, and where acmectl looks for the keeper.
AC_DEFUN([ACME_WITH_STATE_DIR], [
  AC_ARG_WITH([state-dir],
    [AS_HELP_STRING([--with-state-dir=PATH],
      [default of AcmeStateDir @<:@as the system has it, such as
       /var/lib/apache2/acme@:>@])],
    [ACME_STATE_DIR=$withval],
    [AS_CASE([$host_os],
      [*bsd*|dragonfly*], [ACME_STATE_DIR=/var/db/acme],
      [ACME_STATE_DIR=/var/lib/`"$APXS" -q progname`/acme])])
  AS_CASE([$ACME_STATE_DIR],
    [/*], [],
    [AC_MSG_ERROR([--with-state-dir needs an absolute path])])
  AC_SUBST([ACME_STATE_DIR])
])

AC_DEFUN([ACME_ENABLE_WERROR], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [a warning is an error])])
  AS_IF([test "x$enable_werror" = xyes], [ACME_WERROR=-Werror])
  AC_SUBST([ACME_WERROR])
])

AC_DEFUN([ACME_ENABLE_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers],
      [build with the address and undefined behaviour sanitizers])])
  AS_IF([test "x$enable_sanitizers" = xyes], [
    ACME_SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all"
    ACME_SANITIZE="$ACME_SANITIZE -fno-omit-frame-pointer"
    ACME_SANITIZE_NOTE=", with sanitizers"
    acme_cflags=$CFLAGS
    CFLAGS="$CFLAGS $ACME_SANITIZE"
    AC_MSG_CHECKING([for the sanitizers])
    AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([$CC has no address and undefined sanitizer])])
    CFLAGS=$acme_cflags])
  AC_SUBST([ACME_SANITIZE])
])
