dnl harden.m4 - flags that make a fault harder to use, in all that is built.
dnl
dnl The module runs as root in httpd's parent and in the keeper. A flag that
dnl the builder's CFLAGS, CPPFLAGS or LDFLAGS settle is left to them, and with
dnl the sanitizers there is none of these.

AC_DEFUN([ACME_HARDEN], [
  AS_IF([test "x$enable_sanitizers" != xyes], [
    ACME_HARDEN_CFLAG([-fstack-protector-strong], [stack-protector])
    ACME_HARDEN_CFLAG([-fstack-clash-protection], [stack-clash-protection])
    ACME_HARDEN_CFLAG([-fcf-protection], [cf-protection])
    ACME_HARDEN_FORTIFY
    ACME_HARDEN_LDFLAG([-Wl,-z,relro], [relro])
    ACME_HARDEN_LDFLAG([-Wl,-z,now], [-z,lazy])
    ACME_HARDEN_PIE])
  AC_SUBST([ACME_HARDEN_CFLAGS])
  AC_SUBST([ACME_HARDEN_LDFLAGS])
  AC_SUBST([ACME_PIE_CFLAGS])
  AC_SUBST([ACME_PIE_LDFLAGS])
])

dnl ACME_TRY_FLAGS(CFLAGS, LDFLAGS, IF-KNOWN): a warning counts as "no".
AC_DEFUN([ACME_TRY_FLAGS], [
  acme_cflags=$CFLAGS
  acme_ldflags=$LDFLAGS
  CFLAGS="-Werror $1 $CFLAGS"
  LDFLAGS="$2 $LDFLAGS"
  AC_MSG_CHECKING([whether $CC knows m4_normalize([$1 $2])])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]])],
    [AC_MSG_RESULT([yes])
     $3],
    [AC_MSG_RESULT([no])])
  CFLAGS=$acme_cflags
  LDFLAGS=$acme_ldflags
])

dnl ACME_HARDEN_CFLAG(FLAG, WORD): unless WORD is among the builder's flags.
AC_DEFUN([ACME_HARDEN_CFLAG], [
  AS_CASE(["$CFLAGS $CPPFLAGS"], [*$2*], [],
    [ACME_TRY_FLAGS([$1], [],
      [ACME_HARDEN_CFLAGS="$ACME_HARDEN_CFLAGS $1"])])
])

AC_DEFUN([ACME_HARDEN_LDFLAG], [
  AS_CASE([$LDFLAGS], [*$2*], [],
    [ACME_TRY_FLAGS([], [$1],
      [ACME_HARDEN_LDFLAGS="$ACME_HARDEN_LDFLAGS $1"])])
])

dnl It needs the optimizer, and some compilers define it themselves. Where the
dnl C library finds the compiler too old for level 3, it warns.
AC_DEFUN([ACME_HARDEN_FORTIFY], [
  acme_fortify=
  AC_MSG_CHECKING([whether _FORTIFY_SOURCE is ours to define])
  AS_CASE(["$CFLAGS $CPPFLAGS"], [*_FORTIFY_SOURCE*], [acme_ours=no],
    [AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#if defined(_FORTIFY_SOURCE) || !defined(__OPTIMIZE__)
#error no
#endif
int acme_ours;]])], [acme_ours=yes], [acme_ours=no])])
  AC_MSG_RESULT([$acme_ours])
  AS_IF([test $acme_ours = yes],
    [ACME_TRY_FLAGS([-D_FORTIFY_SOURCE=3], [], [acme_fortify=3])
     AS_IF([test -z "$acme_fortify"],
       [ACME_TRY_FLAGS([-D_FORTIFY_SOURCE=2], [], [acme_fortify=2])])])
  AS_IF([test -n "$acme_fortify"], [
    ACME_HARDEN_CFLAGS="$ACME_HARDEN_CFLAGS -D_FORTIFY_SOURCE=$acme_fortify"])
])

dnl For programs: the module is position independent anyway.
AC_DEFUN([ACME_HARDEN_PIE], [
  AS_CASE([" $CFLAGS $LDFLAGS"], [*-no-pie*|*-fno-pi*|*\ -static*], [],
    [ACME_TRY_FLAGS([-fPIE], [-pie],
      [ACME_PIE_CFLAGS=-fPIE
       ACME_PIE_LDFLAGS=-pie])])
])
