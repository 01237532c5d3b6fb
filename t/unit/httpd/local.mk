# The unit tests of mod_acme/httpd/: a line a program.

httpd_tests = \
	%D%/test_board \
	%D%/test_cert_split
httpd_tests_libs = t/unit/help/libhelp.la \
	mod_acme/httpd/libacme_httpd.la \
	$(floors)

unit_tests += $(httpd_tests)
$(httpd_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(httpd_flags) $(CMOCKA_CFLAGS)
$(httpd_tests): LDADD = $(httpd_tests_libs) $(CMOCKA_LIBS) $(libraries)
$(httpd_tests): $(httpd_tests_libs)
