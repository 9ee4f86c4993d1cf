import java.nio.ByteBuffer;
import java.util.Arrays;

/** A customer's row: counts, sums, and the orders and revenue of each day of the last year. */
final class Row {
    static final long DAY_MS = 86_400_000L;
    private static final int YEAR_DAYS = 365;
    private static final int HEADER_BYTES = 4 + 4 + 8 + 8 + 8 + 8 + 4;
    private static final int DAY_BYTES = 4 + 4 + 8;

    int orders;
    int occasions;
    long cents;
    long firstDayCents;
    long first;
    long last;
    /** Rising; as many orders and cents. */
    int[] days = {};
    int[] dayOrders = {};
    long[] dayCents = {};

    void add(Purchase purchase) {
        int day = (int) Math.floorDiv(purchase.at(), DAY_MS);
        first = orders == 0 ? purchase.at() : Math.min(first, purchase.at());
        last = orders == 0 ? purchase.at() : Math.max(last, purchase.at());
        orders++;
        cents += purchase.cents();
        if (day == Math.floorDiv(first, DAY_MS)) {
            firstDayCents += purchase.cents();
        }
        int place = Arrays.binarySearch(days, day);
        if (place < 0) {
            place = insert(-place - 1, day);
        }
        dayOrders[place]++;
        dayCents[place] += purchase.cents();
    }

    /** Make a place for a day, and forget those that no window reaches any more. */
    private int insert(int place, int day) {
        occasions++;
        int reach = (int) Math.floorDiv(last, DAY_MS) - YEAR_DAYS;
        int gone = 0;
        while (gone < place && days[gone] <= reach) {
            gone++;
        }
        int size = days.length + 1 - gone;
        int at = place - gone;
        int[] newDays = new int[size], newOrders = new int[size];
        long[] newCents = new long[size];
        System.arraycopy(days, gone, newDays, 0, at);
        System.arraycopy(dayOrders, gone, newOrders, 0, at);
        System.arraycopy(dayCents, gone, newCents, 0, at);
        System.arraycopy(days, place, newDays, at + 1, days.length - place);
        System.arraycopy(dayOrders, place, newOrders, at + 1, days.length - place);
        System.arraycopy(dayCents, place, newCents, at + 1, days.length - place);
        days = newDays;
        dayOrders = newOrders;
        dayCents = newCents;
        days[at] = day;
        return at;
    }

    double tenureDays() {
        return (last - first) / (double) DAY_MS;
    }

    /** The mean value of the days with purchases after the first, in currency units. */
    double meanRepeatValue() {
        return occasions > 1 ? (cents - firstDayCents) / 100.0 / (occasions - 1) : 0;
    }

    byte[] encode() {
        ByteBuffer to = ByteBuffer.allocate(HEADER_BYTES + DAY_BYTES * days.length);
        to.putInt(orders).putInt(occasions).putLong(cents).putLong(firstDayCents);
        to.putLong(first).putLong(last).putInt(days.length);
        for (int n = 0; n < days.length; n++) {
            to.putInt(days[n]).putInt(dayOrders[n]).putLong(dayCents[n]);
        }
        return to.array();
    }

    static Row decode(byte[] bytes) {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        Row row = new Row();
        row.orders = from.getInt();
        row.occasions = from.getInt();
        row.cents = from.getLong();
        row.firstDayCents = from.getLong();
        row.first = from.getLong();
        row.last = from.getLong();
        int size = from.getInt();
        row.days = new int[size];
        row.dayOrders = new int[size];
        row.dayCents = new long[size];
        for (int n = 0; n < size; n++) {
            row.days[n] = from.getInt();
            row.dayOrders[n] = from.getInt();
            row.dayCents[n] = from.getLong();
        }
        return row;
    }
}
