/* What format.c defines; becomes part of steadis.h, since cbindgen reads no C. */

/**
 * steadis_call with the arguments in a format: "SET %s %b EX %d". Blanks part the arguments; what
 * a directive inserts stays within its argument, blanks and all. %s is text, %b is bytes and a
 * size_t, %% is a percent sign; whole numbers and those with a fraction are as in printf, in the
 * C locale whatever the program's is. Anything else is STEADIS_USAGE, and nothing is sent.
 */
steadis_status steadis_callf(const struct steadis_client *client,
                             struct steadis_reply **reply,
                             struct steadis_error **error,
                             const char *format,
                             ...);

/**
 * steadis_pipeline_add with the arguments in a format, as in steadis_callf.
 */
steadis_status steadis_pipeline_addf(struct steadis_pipeline *pipeline,
                                     struct steadis_error **error,
                                     const char *format,
                                     ...);

/**
 * steadis_async_call with the arguments in a format, as in steadis_callf.
 */
steadis_status steadis_async_callf(const struct steadis_async *handle,
                                   steadis_reply_callback callback,
                                   void *user,
                                   struct steadis_error **error,
                                   const char *format,
                                   ...);
