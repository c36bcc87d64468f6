package headscope.jinja;

import java.util.ArrayList;
import java.util.List;

/** Python's operators of numbers, strings and lists. Whole numbers beyond 64 bits are rejected. */
final class Arithmetic {
    private static final double EXACT = 1L << 53;

    private final Limits limits;

    Arithmetic(Limits limits) {
        this.limits = limits;
    }

    static void requireDefined(Value... values) {
        for (Value value : values) {
            if (value instanceof Value.Undefined undefined) {
                throw new TemplateException(undefined.fault());
            }
        }
    }

    static boolean isWhole(Value value) {
        return value instanceof Value.Int || value instanceof Value.Bool;
    }

    static long whole(Value value) {
        requireDefined(value);
        return switch (value) {
            case Value.Int number -> number.value();
            case Value.Bool bool -> bool.value() ? 1 : 0;
            default -> throw new TemplateException("a whole number is expected, not a %s".formatted(value.type()));
        };
    }

    static double real(Value value) {
        return value instanceof Value.Real number ? number.value() : whole(value);
    }

    Value sign(boolean minus, Value value) {
        if (value instanceof Value.Real number) {
            return new Value.Real(minus ? -number.value() : number.value());
        }
        if (minus && whole(value) == Long.MIN_VALUE) {
            throw new TemplateException("a number exceeds 64 bits");
        }
        return new Value.Int(minus ? -whole(value) : whole(value));
    }

    Value apply(String operator, Value left, Value right) {
        requireDefined(left, right);
        if (operator.equals("+") && left instanceof Value.Str one && right instanceof Value.Str other) {
            limits.charge((long) one.text().length() + other.text().length());
            return Value.of(one.text() + other.text());
        }
        if (operator.equals("+") && left instanceof Value.Row one && right instanceof Value.Row other
                && one.kind() == other.kind() && one.kind().compareTo(Value.Row.Kind.TUPLE) <= 0) {
            limits.charge((long) one.values().size() + other.values().size());
            List<Value> values = new ArrayList<>(one.values());
            values.addAll(other.values());
            return new Value.Row(one.kind(), values);
        }
        if (operator.equals("*") && (isWhole(right) || isWhole(left)) && !(isWhole(left) && isWhole(right))
                && !(left instanceof Value.Real) && !(right instanceof Value.Real)) {
            return isWhole(right) ? repeat(left, whole(right)) : repeat(right, whole(left));
        }
        if (operator.equals("%") && left instanceof Value.Str) {
            throw TemplateException.unsupported("formatting a string with %");
        }
        if (!Comparison.isNumber(left) || !Comparison.isNumber(right)) {
            throw new TemplateException("%s cannot be applied to a %s and a %s".formatted(operator, left.type(), right.type()));
        }
        try {
            boolean whole = isWhole(left) && isWhole(right);
            return whole && !operator.equals("/") && !(operator.equals("**") && whole(right) < 0)
                    ? new Value.Int(whole(operator, whole(left), whole(right)))
                    : new Value.Real(real(operator, exact(left), exact(right)));
        } catch (ArithmeticException overflow) {
            throw new TemplateException("a number exceeds 64 bits");
        }
    }

    private static double exact(Value value) {
        double number = real(value);
        if (!(value instanceof Value.Real) && Math.abs(number) > EXACT) {
            throw new ArithmeticException();
        }
        return number;
    }

    private Value repeat(Value value, long times) {
        long count = Math.max(0, times);
        limits.charge(count);
        return switch (value) {
            case Value.Str text -> {
                limits.charge(count * text.text().length());
                yield Value.of(text.text().repeat((int) count));
            }
            case Value.Row row when row.kind().compareTo(Value.Row.Kind.TUPLE) <= 0 -> {
                limits.charge(count * row.values().size());
                List<Value> values = new ArrayList<>();
                for (long i = 0; i < count; i++) {
                    values.addAll(row.values());
                }
                yield new Value.Row(row.kind(), values);
            }
            default -> throw new TemplateException("* cannot be applied to a %s and a number".formatted(value.type()));
        };
    }

    private static long whole(String operator, long left, long right) {
        return switch (operator) {
            case "+" -> Math.addExact(left, right);
            case "-" -> Math.subtractExact(left, right);
            case "*" -> Math.multiplyExact(left, right);
            case "//" -> Math.floorDivExact(left, nonZero(right));
            case "%" -> Math.floorMod(left, nonZero(right));
            default -> power(left, right);
        };
    }

    private static long nonZero(long divisor) {
        if (divisor == 0) {
            throw new TemplateException("division by zero");
        }
        return divisor;
    }

    private static long power(long base, long exponent) {
        if (base == 0 || base == 1) {
            return exponent == 0 ? 1 : base;
        }
        if (base == -1) {
            return exponent % 2 == 0 ? 1 : -1;
        }
        long power = 1;
        for (long i = 0; i < exponent; i++) {
            power = Math.multiplyExact(power, base);
        }
        return power;
    }

    private static double real(String operator, double left, double right) {
        if (right == 0 && List.of("/", "//", "%").contains(operator)) {
            throw new TemplateException("division by zero");
        }
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / right;
            case "//" -> Math.floor((left - modulo(left, right)) / right);
            case "%" -> modulo(left, right);
            default -> Math.pow(left, right);
        };
    }

    /** With the sign of the divisor. */
    private static double modulo(double left, double right) {
        double rest = left % right;
        return rest != 0 && rest < 0 != right < 0 ? rest + right : rest;
    }
}
