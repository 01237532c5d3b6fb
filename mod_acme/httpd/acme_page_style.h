/*
 * acme_page_style.h - how the page looks: its one style sheet.
 *
 * A constant text, so that the page's policy can name it by its digest, and a
 * browser applies no other style.
 */
#ifndef ACME_PAGE_STYLE_H
#define ACME_PAGE_STYLE_H

extern const char acme_page_style[];

#endif
