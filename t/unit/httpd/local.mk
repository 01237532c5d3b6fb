# The unit tests of mod_acme/httpd/: a line a program.

check_LIBRARIES += %D%/libhttpd_stubs.a
%C%_libhttpd_stubs_a_CPPFLAGS = $(httpd_flags)
%C%_libhttpd_stubs_a_SOURCES = %D%/httpd_stubs.c %D%/httpd_stubs.h

httpd_tests = \
	%D%/test_board \
	%D%/test_cert_split \
	%D%/test_directives \
	%D%/test_live \
	%D%/test_live_cache \
	%D%/test_page \
	%D%/test_page_handler \
	%D%/test_page_load \
	%D%/test_page_metrics \
	%D%/test_page_others \
	%D%/test_parsers \
	%D%/test_status \
	%D%/test_trial_limit \
	%D%/test_vhosts \
	%D%/test_workers_access
httpd_tests_libs = t/unit/help/libhelp.a \
	%D%/libhttpd_stubs.a \
	mod_acme/httpd/libacme_httpd.la \
	$(floors)

unit_tests += $(httpd_tests)
$(httpd_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(httpd_flags) $(CMOCKA_CFLAGS)
$(httpd_tests): LDADD = $(call archives,$(httpd_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(httpd_tests): $(httpd_tests_libs)
