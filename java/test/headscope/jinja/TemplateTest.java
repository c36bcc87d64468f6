package headscope.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Renderings against those of Jinja2, which expected.py stores in expected.json. */
class TemplateTest {
    private static final Path HERE = Path.of("java/test/headscope/jinja");
    private static final Clock NOW = new Clock(LocalDate.of(2026, 11, 6), Optional.of(LocalTime.of(9, 5, 7)));

    /** Snippets that Jinja2 renders and this interpreter rejects: by a part of the snippet, what the message names. */
    private static final Map<String, String> REJECTED = Map.of(
            "groupby", "the filter \"groupby\" is not supported",
            "{{ ''.__class__ }}", "the attribute __class__ is not supported",
            "{{ f }}", "printing a function");

    private final JsonNode expected = json("expected.json");
    private final JsonNode conversations = json("conversations.json");

    @Test
    void templatesRenderAsInJinja2() throws IOException {
        List<String> differences = new ArrayList<>();
        for (Map.Entry<String, JsonNode> template : expected.get("templates").properties()) {
            String source = Files.readString(HERE.resolve("templates").resolve(template.getKey()));
            for (int i = 0; i < conversations.size(); i++) {
                for (boolean generate : new boolean[] {false, true}) {
                    compare(template.getKey() + " " + i + " " + generate, source, conversations.get(i), generate,
                            template.getValue().get(i).get(generate ? 1 : 0), differences);
                }
            }
        }
        assertEquals("", String.join("\n", differences));
    }

    @Test
    void snippetsRenderAsInJinja2() throws IOException {
        String[] snippets = Files.readString(HERE.resolve("snippets.txt")).split("\n====\n", -1);
        assertEquals(expected.get("snippets").size(), snippets.length);
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < snippets.length; i++) {
            compare(snippets[i], snippets[i], conversations.get(1), true, expected.get("snippets").get(i), differences);
        }
        assertEquals("", String.join("\n", differences));
    }

    /** The stored renderings are those of the Jinja2 that is installed. */
    @Test
    void jinja2StillRendersTheExpected() throws IOException, InterruptedException {
        Process python = new ProcessBuilder("/usr/bin/python3", HERE.resolve("expected.py").toString(), "--check")
                .redirectErrorStream(true).start();
        String said = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, python.waitFor(), said);
    }

    /** A template with a fault of its own, and the beginning of its message. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
        "{{ ''.__class__.__mro__ }}; the attribute __class__ is not supported",
        "{{ messages.append(1) }}; list.append is not supported",
        "{{ messages[0].pop('role') }}; dict.pop is not supported",
        "{{ '{0.__class__}'.format(1) }}; str.format is not supported",
        "{% for i in range(1000000000) %}{% endfor %}; a range has more than 100000 elements",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}; rendering takes more than",
        "{{ 'x' * 10000000000 }}; rendering takes more than",
        "{{ [1] * 10000000000 }}; rendering takes more than",
        "{{ 9 ** 9 ** 9 }}; a number exceeds 64 bits",
        "{{ -(-9223372036854775807 - 1) }}; a number exceeds 64 bits",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}; macros are nested more than 100 deep",
        "{% set ns = namespace(x='ab') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}; rendering takes more than",
        "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}; rendering takes more than",
        "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == [ns.x] }}{{ ns.x|tojson }}; rendering takes more than",
        "{% include 'x' %}; the tag {% include %} is not supported",
        "{% import 'x' as y %}; the tag {% import %} is not supported",
        "{% call f() %}{% endcall %}; the tag {% call %} is not supported",
        "{{ messages|xmlattr }}; the filter \"xmlattr\" is not supported",
        "{{ messages is frobnicated }}; the test \"frobnicated\" is not supported",
        "{{ cycler(1) }}; the function cycler is not supported",
        "{{ f(*messages) }}; arguments with * are not supported",
        "{{ '%s' % 1 }}; formatting a string with % is not supported",
        "{{ '%5.1f'|format(1) }}; the filter \"format\" is not supported",
        "{{ strftime_now('%c') }}; strftime_now with %c is not supported",
        "{% set g = messages|map(attribute='role') %}{{ g|list }}{{ g|list }}; reading the result of a filter twice",
        "{{ messages|map(attribute='role') }}; printing a generator",
        "{{ [1, 2]|safe ~ '<' }}; the filter \"safe\" before another operation is not supported"
    })
    void hostileAndUnsupportedTemplatesAreRejectedByName(String source, String message) {
        TemplateException rejected = assertThrows(TemplateException.class, () -> render(source, conversations.get(1), true));
        assertTrue(rejected.getMessage().startsWith(message), rejected::getMessage);
        assertEquals(1, rejected.line());
    }

    @Test
    void deepNestingIsRejected() {
        for (String source : List.of("{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}",
                "{{ 1" + " + 1".repeat(100_000) + " }}", "{% if 1 %}".repeat(100_000) + "{% endif %}".repeat(100_000))) {
            assertEquals("the template is nested too deeply",
                    assertThrows(TemplateException.class, () -> render(source, conversations.get(1), true)).getMessage());
        }
    }

    @Test
    void aRaisedExceptionIsToldApart() {
        TemplateException raised = assertThrows(TemplateException.class,
                () -> render("\n\n{{ raise_exception('no system role') }}", conversations.get(1), true));
        assertTrue(raised.isRaised());
        assertEquals("no system role", raised.getMessage());
        assertEquals(3, raised.line());
    }

    private static void compare(
            String name, String source, JsonNode messages, boolean generate, JsonNode wanted, List<String> differences) {
        String rendered;
        try {
            rendered = render(source, messages, generate);
        } catch (TemplateException rejected) {
            String message = rejected.getMessage();
            if (wanted.has("text") && REJECTED.entrySet().stream()
                    .noneMatch(known -> source.contains(known.getKey()) && message.contains(known.getValue()))) {
                differences.add("%s%n   wanted   %s%n   rejected %s".formatted(name, wanted.get("text"), message));
            }
            return;
        }
        if (!wanted.path("text").asText("(an error)").equals(rendered)) {
            differences.add("%s%n   wanted %s%n   found  %s".formatted(name, wanted, new ObjectMapper().valueToTree(rendered)));
        }
    }

    private static String render(String source, JsonNode messages, boolean generate) {
        Map<String, Value> variables = new HashMap<>();
        variables.put("messages", Value.of(messages));
        variables.put("tools", Value.None.NONE);
        variables.put("documents", Value.None.NONE);
        variables.put("add_generation_prompt", Value.of(generate));
        variables.put("bos_token", Value.of("<s>"));
        variables.put("eos_token", Value.of("</s>"));
        return Template.parse(source).render(variables, NOW, messages.toString().length());
    }

    private static JsonNode json(String name) {
        try {
            return new ObjectMapper().readTree(HERE.resolve(name).toFile());
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
