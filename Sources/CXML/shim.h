#ifndef ENTENTE_CXML_SHIM_H
#define ENTENTE_CXML_SHIM_H

#include <limits.h>
#include <string.h>

#include <libxml/xmlversion.h>
// A libxml2 that converts with ICU includes ICU's headers, which clash with those inside Foundation. Only the layout of
// converters depends on it, which nothing here touches.
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

// Swift sees nothing of libxml2 but bytes: its types and callbacks differ between versions, and some are variadic.
// What comes here is UTF-8 without a document type declaration; nothing outside these bytes is ever read.

// The first thing that libxml2 finds wrong; code 0 if nothing is.
struct entente_xml_fault {
    int code;
    int is_namespace;
    long offset;
};

// Takes what is read. `start` and `text` return other than 0 to stop.
//
// `spaceCount` is the number of namespaces that the element declares; `attributes` holds five pointers for each attribute: local name, prefix, namespace, first byte and end of the value.
struct entente_xml_sink {
    void *object;
    int (*start)(void *object, const unsigned char *name, const unsigned char *space, long offset, int spaceCount,
                 int attributeCount, const unsigned char **attributes);
    void (*end)(void *object);
    int (*text)(void *object, const unsigned char *bytes, int count);
    xmlParserCtxtPtr context;
    struct entente_xml_fault fault;
};

static inline void entente_xml_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
                                     int spaceCount, const xmlChar **spaces, int attributeCount, int defaultedCount,
                                     const xmlChar **attributes) {
    struct entente_xml_sink *sink = (struct entente_xml_sink *)user;
    (void)prefix, (void)spaces, (void)defaultedCount;
    const long offset = xmlByteConsumed(sink->context);
    if (sink->start(sink->object, name, space, offset, spaceCount, attributeCount, attributes) != 0) {
        xmlStopParser(sink->context);
    }
}

static inline void entente_xml_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *space) {
    struct entente_xml_sink *sink = (struct entente_xml_sink *)user;
    (void)name, (void)prefix, (void)space;
    sink->end(sink->object);
}

static inline void entente_xml_text(void *user, const xmlChar *bytes, int count) {
    struct entente_xml_sink *sink = (struct entente_xml_sink *)user;
    if (sink->text(sink->object, bytes, count) != 0) xmlStopParser(sink->context);
}

// The scan before the parser refuses a document type declaration; should one get here, reading ends with it.
static inline void entente_xml_doctype(void *user, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
    struct entente_xml_sink *sink = (struct entente_xml_sink *)user;
    (void)name, (void)external, (void)system;
    if (sink->fault.code == 0) {
        sink->fault.code = XML_ERR_DOCTYPE_NOT_FINISHED;
        sink->fault.offset = xmlByteConsumed(sink->context);
    }
    xmlStopParser(sink->context);
}

#if LIBXML_VERSION >= 21200
static inline void entente_xml_error(void *user, const xmlError *error) {
#else
static inline void entente_xml_error(void *user, xmlErrorPtr error) {
#endif
    struct entente_xml_sink *sink = (struct entente_xml_sink *)user;
    if (error->level < XML_ERR_ERROR || sink->fault.code != 0) return;
    sink->fault.code = error->code;
    sink->fault.is_namespace = error->domain == XML_FROM_NAMESPACE;
    sink->fault.offset = xmlByteConsumed(sink->context);
}

// Reads `count` bytes. Returns 0, or -1 if there is no memory for a parser.
//
// XML_PARSE_HUGE lifts limits that embedded pages exceed; the caller bounds size, depth, nodes and attributes instead.
// XML_PARSE_NOENT turns `&amp;` in attributes into a plain character; there are no other entities without a declaration.
static inline int entente_xml_read(const char *bytes, int count, struct entente_xml_sink *sink) {
    xmlParserCtxtPtr context = xmlNewParserCtxt();
    if (context == NULL || context->sax == NULL) {
        if (context != NULL) xmlFreeParserCtxt(context);
        return -1;
    }
    memset(context->sax, 0, sizeof(*context->sax));
    context->sax->initialized = XML_SAX2_MAGIC;
    context->sax->internalSubset = entente_xml_doctype;
    context->sax->startElementNs = entente_xml_start;
    context->sax->endElementNs = entente_xml_end;
    context->sax->characters = entente_xml_text;
    context->sax->ignorableWhitespace = entente_xml_text;
    context->sax->serror = entente_xml_error;
    context->userData = sink;
    sink->context = context;
    memset(&sink->fault, 0, sizeof(sink->fault));
    const int options = XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_HUGE | XML_PARSE_IGNORE_ENC | XML_PARSE_BIG_LINES;
    xmlDocPtr document = xmlCtxtReadMemory(context, bytes, count, NULL, NULL, options);
    if (document != NULL) xmlFreeDoc(document);
    if (sink->fault.code == 0 && !context->wellFormed) sink->fault.code = XML_ERR_INTERNAL_ERROR;
    sink->context = NULL;
    xmlFreeParserCtxt(context);
    return 0;
}

#endif
