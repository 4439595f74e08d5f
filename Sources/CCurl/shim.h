// libcurl, for SMTP. Its options are set by a variadic function, which Swift can't call: one function here for each kind of argument that is used.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) { return curl_easy_setopt(handle, option, value); }
static inline CURLcode ccurl_set_size(CURL *handle, CURLoption option, curl_off_t value) { return curl_easy_setopt(handle, option, value); }
// libcurl copies texts.
static inline CURLcode ccurl_set_text(CURL *handle, CURLoption option, const char *text) { return curl_easy_setopt(handle, option, text); }
static inline CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *list) { return curl_easy_setopt(handle, option, list); }
static inline CURLcode ccurl_set_reader(CURL *handle, curl_read_callback read, void *context) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
  return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_READDATA, context) : code;
}
static inline CURLcode ccurl_set_writer(CURL *handle, curl_write_callback write) { return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, write); }

// The last reply's code; 0 when there was none.
static inline long ccurl_reply_code(CURL *handle) {
  long code = 0;
  return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK ? code : 0;
}
