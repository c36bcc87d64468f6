package headscope;

import headscope.cli.HeadscopeCommand;
import headscope.cli.StandardOutput;
import java.util.Locale;

/** The program. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Locale.setDefault(Locale.ROOT); // numbers and letters do not depend on the user's language
        StandardOutput output = StandardOutput.install();
        System.exit(output.close(HeadscopeCommand.run(arguments)));
    }
}
