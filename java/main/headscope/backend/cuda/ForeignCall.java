package headscope.backend.cuda;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * A C function that returns a status code.
 *
 * @param handle takes its arguments as an array
 */
record ForeignCall(MethodHandle handle) {
    /** @throws java.util.NoSuchElementException if the library does not contain it */
    @SuppressWarnings("restricted")
    static ForeignCall of(SymbolLookup library, String name, FunctionDescriptor types) {
        return new ForeignCall(Linker.nativeLinker().downcallHandle(library.findOrThrow(name), types)
                .asSpreader(Object[].class, types.argumentLayouts().size()));
    }

    int status(Object... arguments) {
        try {
            return (int) handle.invokeExact(arguments);
        } catch (Throwable failure) {
            throw new AssertionError("C functions throw nothing", failure);
        }
    }
}
