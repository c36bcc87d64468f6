package headscope;

import headscope.cli.HeadscopeCommand;

/** The program. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.exit(HeadscopeCommand.run(arguments));
    }
}
