/* Makes a kernel package of a source file, for tests: make_package SOURCE PACKAGE. */
#include <qiao/compiler.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
    static char source[64 * 1024];
    qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    qiao_compiler_output* output = NULL;
    qiao_status status;
    FILE* file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    int written = 0;
    if (file == NULL) {
        fprintf(stderr, "make_package SOURCE PACKAGE: the source cannot be read\n");
        return 2;
    }
    desc.source_size = fread(source, 1, sizeof source, file);
    desc.source = source;
    desc.source_name = argv[1];
    desc.formats = "opencl-c;host-elf";
    fclose(file);
    status = qiao_compiler_compile(&desc, &output);
    if (output == NULL || qiao_compiler_output_query(output, &result) != QIAO_OK || status != QIAO_OK) {
        fprintf(stderr, "make_package: %d %s\n%s\n", (int)status, output == NULL ? "" : result.message,
                output == NULL ? "" : result.log);
        return 1;
    }
    file = fopen(argv[2], "wb");
    if (file != NULL) {
        written = fwrite(result.package, 1, result.package_size, file) == result.package_size;
        written = fclose(file) == 0 && written;
    }
    if (!written) perror(argv[2]);
    qiao_compiler_output_release(output);
    return written ? 0 : 1;
}
