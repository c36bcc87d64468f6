package headscope;

import headscope.cli.HeadscopeCommand;
import headscope.cli.StandardError;

/** The program. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        StandardError.restore();
        System.exit(HeadscopeCommand.run(arguments));
    }
}
