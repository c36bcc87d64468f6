package headscope.backend.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One kernel file as documentation: its contract comment, and its KERNEL and EXPORT lines after macro expansion.
 * Kernels of all head widths are one, {@code attention_map_f32_d<width>}.
 *
 * @param contract  the comment at the top, by field: "" is what precedes the first one
 * @param constants names of exported constants
 */
record KernelSource(String file, Map<String, String> contract, List<Kernel> kernels, List<String> constants) {
    /** @param parameters as the source declares them */
    record Kernel(String name, String parameters) {}

    private record Macro(List<String> parameters, String body) {
        String apply(List<String> arguments) {
            String expanded = body;
            for (int i = 0; i < parameters.size(); i++) {
                expanded = expanded.replaceAll(
                        "\\b%s\\b".formatted(parameters.get(i)), Matcher.quoteReplacement(arguments.get(i)));
            }
            return expanded.replaceAll("\\s*##\\s*", "");
        }
    }

    private static final Pattern FIELD = Pattern.compile("(In|Out|Scratch|Launch|Cost|Rounds|See) +(.+)");
    private static final Pattern DEFINITION = Pattern.compile("#define (\\w+)\\(([\\w, ]+)\\) *(.*)");
    private static final Pattern CALL = Pattern.compile("\\b([A-Z][A-Z_0-9]*)\\(");

    static List<KernelSource> all(Path folder) {
        try {
            return files(folder, ".cu").stream().map(KernelSource::read).toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static List<Path> files(Path folder, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        }
    }

    private static KernelSource read(Path source) {
        try {
            String text = Files.readString(source);
            Map<String, Macro> macros = new HashMap<>();
            for (Path header : files(source.getParent(), ".cuh")) {
                macros.putAll(macros(Files.readString(header)));
            }
            macros.putAll(macros(text));
            for (String widths : List.of("FOR_EACH_WIDTH", "FOR_EACH_GROUP_WIDTH")) {
                macros.put(widths, new Macro(List.of("F"), "F(<width>)"));
            }
            List<Kernel> kernels = new ArrayList<>();
            List<String> constants = new ArrayList<>();
            String code = withoutLineBreaks(text).replaceAll("(?m)^#.*", "").replaceAll("//.*", "");
            expand(code, macros, kernels, constants);
            return new KernelSource(source.getFileName().toString(), contract(text), kernels, constants);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** Lines of the comment at the top; a field continues on the indented lines below it. */
    private static Map<String, String> contract(String text) {
        Map<String, String> fields = new LinkedHashMap<>();
        String field = "";
        for (String line : text.lines().takeWhile(line -> line.startsWith("//")).toList()) {
            String content = line.substring(2).strip();
            Matcher begins = FIELD.matcher(content);
            if (line.startsWith("// ") && !line.startsWith("//  ") && begins.matches()) {
                field = begins.group(1);
                content = begins.group(2);
            }
            // An empty line ends the summary.
            String separator = field.isEmpty() && content.isEmpty() ? "\n" : " ";
            fields.merge(field, content, (before, more) -> before + separator + more);
        }
        return fields;
    }

    private static String withoutLineBreaks(String text) {
        return text.replaceAll("\\\\\n\\s*", "");
    }

    private static Map<String, Macro> macros(String text) {
        Map<String, Macro> macros = new LinkedHashMap<>();
        withoutLineBreaks(text).lines().map(DEFINITION::matcher).filter(Matcher::matches).forEach(define ->
                macros.put(define.group(1),
                        new Macro(List.of(define.group(2).split(", *")), define.group(3).replaceAll("//.*", ""))));
        return macros;
    }

    private static void expand(
            String code, Map<String, Macro> macros, List<Kernel> kernels, List<String> constants) {
        Matcher call = CALL.matcher(code);
        int from = 0;
        while (call.find(from)) {
            int end = closing(code, call.end());
            List<String> arguments = arguments(code.substring(call.end(), end));
            String name = call.group(1);
            from = end;
            if (name.endsWith("KERNEL")) {
                int bounds = name.equals("RESIDENT_KERNEL") ? 2 : 1; // after the kernel's name, cuda/kernel.cuh
                kernels.add(new Kernel(
                        arguments.getFirst(), String.join(", ", arguments.subList(1 + bounds, arguments.size()))));
            } else if (name.equals("EXPORT")) {
                constants.add(arguments.getFirst());
            } else if (macros.containsKey(name)) {
                expand(macros.get(name).apply(arguments), macros, kernels, constants);
            } else {
                from = call.end();
            }
        }
    }

    /** The index of the parenthesis that closes one before the index. */
    private static int closing(String code, int from) {
        int depth = 1;
        int at = from;
        while (depth > 0) {
            char next = code.charAt(at++);
            depth += next == '(' ? 1 : next == ')' ? -1 : 0;
        }
        return at - 1;
    }

    /** Splits at commas; no kernel has a parameter with parentheses. */
    private static List<String> arguments(String list) {
        return Arrays.stream(list.split(",")).map(argument -> argument.strip().replaceAll("\\s+", " ")).toList();
    }

    String field(String name) {
        return contract.getOrDefault(name, "");
    }

    /** The first sentence of the contract. */
    String summary() {
        String first = field("").strip().split("\n")[0];
        return first.split("(?<=[.])(?= [A-Z])")[0].replaceAll("[.:]$", "");
    }
}
