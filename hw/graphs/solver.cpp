// Adder graphs of small-integer sums: the search behind hw/graphs/search.py.
//
// A row is a sum of signed columns; no column stands in a row twice. The first rows are the outputs, the others are
// shared nodes. Columns are the inputs, then the result of every row. The search:
//
//   1. Greedy: the pair or triple of columns that most rows hold (up to the sign of the whole) becomes a node, until none
//      is held twice. Candidates wait in a heap and are counted again when they come up.
//   2. Large-neighbourhood search: a few nodes are dissolved into the rows that use them, the greedy step mends what was
//      torn, and simulated annealing decides whether the result stays. An undo log takes a refused one back.
//
// The cost is that of the adders of each row: operands merged narrowest first, two or three at a time.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <new>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

typedef std::uint64_t word;
typedef std::int64_t wide;

double cpu_seconds() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

// Xorshift: the same sequence on every machine.
struct Random {
    word state;
    explicit Random(word seed) : state(88172645463325252ull + 1000003ull * seed) {
        for (int i = 0; i < 10; i++)
            next();
    }
    word next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
    double unit() { return double(next() >> 11) / double(word(1) << 53); }
    int below(int n) { return int(next() % word(n)); }
    float tie() { return float(next() & 1023) * (0.5f / 1024); }
};

struct Interval {
    wide low, high;
};

// Bits of an unsigned number if none is negative, else of two's complement.
int bits_of(Interval x) {
    int bits = 1;
    if (x.low >= 0)
        while (bits < 62 && (wide(1) << bits) - 1 < x.high)
            bits++;
    else
        while (bits < 62 && (-(wide(1) << (bits - 1)) > x.low || (wide(1) << (bits - 1)) - 1 < x.high))
            bits++;
    return bits;
}

Interval plus(Interval a, Interval b, int sign) {
    return sign > 0 ? Interval{a.low + b.low, a.high + b.high} : Interval{a.low - b.high, a.high - b.low};
}

struct Term {
    int column, sign;
};

// An operand of an adder that is not yet added.
struct Operand {
    int bits, level, sign, id;
    Interval range;
};

struct Adder {
    int operands, id[3], sign[3];
};

struct Candidate {
    float score;
    int i, j, third; // columns; `third` is -1 for a pair
    std::int8_t sign, third_sign;
    bool expanded; // a pair whose best third column was looked for
    int found;     // rows that held it
    bool operator<(const Candidate &other) const { return score < other.score; }
};

struct Change {
    enum Kind { ADDED, REMOVED, BORN, DIED, PRICED, RANGED, LEVELLED } kind;
    int row, column, sign;
    Interval before;
};

class Solver {
  public:
    // `shares`: a search will follow; without one the rows stay as they are, and no masks are kept.
    Solver(int inputs, int outputs, const wide *low, const wide *high, const std::int8_t *matrix, int arity, int limit,
           word seed, bool shares)
        : n(inputs), m(outputs), arity(arity), limit(limit), shares(shares), random(seed) {
        wide nonzero = 0;
        for (wide k = 0; shares && k < wide(n) * m; k++)
            nonzero += matrix[k] != 0;
        const size_t columns = size_t(n) + size_t(m) + size_t(nonzero) / 2 + 64; // a node takes two terms at least
        words = shares ? int((columns - size_t(n)) / 64 + 1) : 0;
        positive.assign(columns * size_t(words), 0);
        negative.assign(columns * size_t(words), 0);
        held[0].assign(columns, 0);
        held[1].assign(columns, 0);
        seen.assign(columns, 0);
        is_changed.assign(columns, 0);
        range.assign(columns, Interval{0, 0});
        bits.assign(columns, 1);
        level.assign(columns, 0);
        for (int i = 0; i < n; i++) {
            range[i] = Interval{low[i], high[i]};
            bits[i] = bits_of(range[i]);
        }
        rows.resize(size_t(m));
        cost.assign(size_t(m), 0);
        alive.assign(size_t(m), 1);
        used_words = (m - 1) / 64 + 1;
        for (int o = 0; o < m; o++)
            for (int i = 0; i < n; i++)
                if (matrix[wide(o) * n + i])
                    insert(o, i, matrix[wide(o) * n + i]);
        if (limit > 0) { // a row of depth d holds at most arity^d inputs
            for (int d = 0; d < limit && room < wide(1) << 40; d++)
                room *= arity;
        }
        for (int o = 0; o < m; o++)
            price(o);
    }

    // Greedy, then moves until `moves` are made or `seconds` of CPU are spent; whichever is given (> 0) first.
    void search(wide moves, double seconds) {
        const double started = cpu_seconds();
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++) {
                offer(i, j, 1);
                offer(i, j, -1);
            }
        logging = limit > 0;
        greedy();
        for (size_t r = 0; r < rows.size(); r++)
            price(int(r));
        forget_changes();
        logging = false;
        log.clear();
        const double begun = cpu_seconds();
        const double left = started + seconds - begun;
        for (wide move = 0; moves <= 0 || move < moves; move++) {
            double progress = moves > 0 ? double(move) / double(moves) : 0;
            if (seconds > 0) {
                const double spent = cpu_seconds() - begun;
                if (spent >= left)
                    break;
                progress = std::max(progress, spent / left);
            }
            if (int(rows.size()) <= m)
                break; // nothing is shared
            try_move(HOT * (1 - progress));
        }
    }

    // The adders in topological order and each output as (value, sign); value -1 is a sum without terms.
    void emit(std::vector<Adder> &adders, std::vector<Term> &outputs) {
        values.assign(size_t(n) + rows.size(), Term{-1, 1});
        for (int i = 0; i < n; i++)
            values[i] = Term{i, 1};
        std::vector<char> visited(rows.size(), 0);
        next_id = n;
        outputs.clear();
        for (int r = 0; r < m; r++) {
            visit(r, visited, adders);
            outputs.push_back(values[n + r]);
        }
    }

  private:
    static constexpr double HOT = 10;   // LUTs: about one adder
    static constexpr int DISSOLVED = 8; // nodes of one move at most

    const int n, m, arity, limit;
    const bool shares;
    int words, used_words = 0;
    wide room = 1;
    Random random;
    std::vector<std::vector<Term>> rows;
    std::vector<word> positive, negative; // per column, the rows that hold it
    std::vector<Interval> range;          // per column
    std::vector<int> bits, level;
    std::vector<int> cost; // per row
    std::vector<char> alive;
    std::vector<int> dead;
    wide total = 0;
    std::vector<Change> log;
    bool logging = false;
    std::vector<Candidate> heap;
    std::vector<int> held[2], touched;
    std::vector<char> seen, is_changed;
    std::vector<int> changed;
    std::vector<Operand> operands;
    std::vector<Term> values; // per column: the value that holds it, and its sign
    int next_id = 0;
    std::unordered_set<word> pairs;
    std::vector<std::pair<int, int>> holders, twins;
    std::vector<int> worklist;

    // -- rows

    word *mask(int column, int sign) { return &(sign > 0 ? positive : negative)[size_t(column) * size_t(words)]; }

    void insert(int r, int column, int sign) {
        rows[r].push_back(Term{column, sign});
        if (shares)
            mask(column, sign)[r >> 6] |= word(1) << (r & 63);
    }
    void erase(int r, int column, int sign) {
        std::vector<Term> &row = rows[r];
        for (size_t k = 0; k < row.size(); k++)
            if (row[k].column == column) {
                row[k] = row.back();
                row.pop_back();
                break;
            }
        mask(column, sign)[r >> 6] &= ~(word(1) << (r & 63));
    }
    void note(Change::Kind kind, int r, int column = 0, int sign = 0, Interval before = Interval{0, 0}) {
        if (logging)
            log.push_back(Change{kind, r, column, sign, before});
    }
    void add(int r, int column, int sign) {
        insert(r, column, sign);
        note(Change::ADDED, r, column, sign);
    }
    void remove(int r, int column, int sign) {
        erase(r, column, sign);
        note(Change::REMOVED, r, column, sign);
    }
    int born() {
        int r;
        if (!dead.empty()) {
            r = dead.back();
            dead.pop_back();
        } else {
            r = int(rows.size());
            rows.emplace_back();
            cost.push_back(0);
            alive.push_back(0);
            used_words = r / 64 + 1;
        }
        alive[r] = 1;
        note(Change::BORN, r);
        return r;
    }
    void die(int r) {
        alive[r] = 0;
        dead.push_back(r);
        note(Change::DIED, r);
    }
    void undo_to(size_t mark) {
        while (log.size() > mark) {
            const Change c = log.back();
            log.pop_back();
            switch (c.kind) {
            case Change::ADDED: erase(c.row, c.column, c.sign); break;
            case Change::REMOVED: insert(c.row, c.column, c.sign); break;
            case Change::BORN:
                alive[c.row] = 0;
                dead.push_back(c.row);
                break;
            case Change::DIED:
                alive[c.row] = 1;
                dead.erase(std::find(dead.begin(), dead.end(), c.row));
                break;
            case Change::PRICED:
                total += c.before.low - cost[c.row];
                cost[c.row] = int(c.before.low);
                break;
            case Change::RANGED:
                range[n + c.row] = c.before;
                bits[n + c.row] = bits_of(c.before);
                break;
            case Change::LEVELLED: level[n + c.row] = int(c.before.low); break;
            }
        }
    }
    void set_range(int r) {
        note(Change::RANGED, r, 0, 0, range[n + r]);
        Interval sum{0, 0};
        for (const Term &t : rows[r])
            sum = plus(sum, range[t.column], t.sign);
        range[n + r] = sum;
        bits[n + r] = bits_of(sum);
    }
    void mark(int r) {
        if (!is_changed[r]) {
            is_changed[r] = 1;
            changed.push_back(r);
        }
    }
    void forget_changes() {
        for (int r : changed)
            is_changed[r] = 0;
        changed.clear();
    }
    template <class F> void each_holder(int column, F f) { // f(row, sign)
        for (int sign : {1, -1})
            for (int w = 0; w < used_words; w++)
                for (word rest = mask(column, sign)[w]; rest; rest &= rest - 1)
                    f(w * 64 + __builtin_ctzll(rest), sign);
    }
    int uses(int column) {
        int count = 0;
        for (int w = 0; w < used_words; w++)
            count += __builtin_popcountll(mask(column, 1)[w] | mask(column, -1)[w]);
        return count;
    }

    // -- levels: a tree of depth d exists if the sum of arity^level over its terms is at most arity^d

    wide mass(int r) const {
        wide sum = 0;
        for (const Term &t : rows[r]) {
            wide one = 1;
            for (int d = 0; d < level[t.column]; d++)
                one *= arity;
            sum += one;
        }
        return sum;
    }
    int least_level(int r) const {
        const wide sum = mass(r);
        int d = rows[r].size() > 1;
        for (wide room_of = d ? arity : 1; room_of < sum; room_of *= arity)
            d++;
        return d;
    }
    // Levels of `first` and of all rows above it; false if an output does not fit below the limit.
    bool relevel(int first) {
        worklist.assign(1, first);
        while (!worklist.empty()) {
            const int r = worklist.back();
            worklist.pop_back();
            if (r < m) {
                if (mass(r) > room)
                    return false;
                continue;
            }
            const int now = least_level(r);
            if (now > limit)
                return false;
            if (now == level[n + r])
                continue;
            note(Change::LEVELLED, r, 0, 0, Interval{level[n + r], 0});
            level[n + r] = now;
            each_holder(n + r, [&](int user, int) {
                worklist.push_back(user);
                mark(user);
            });
        }
        return true;
    }

    // -- the adders of one row

    static bool narrower(const Operand &a, const Operand &b) {
        return a.bits != b.bits ? a.bits < b.bits : a.range.high - a.range.low < b.range.high - b.range.low;
    }
    static bool earlier(const Operand &a, const Operand &b) { return a.level != b.level ? a.level < b.level : narrower(a, b); }

    void price(int r) {
        const int now = alive[r] ? tree(r, nullptr) : 0;
        if (now != cost[r]) {
            note(Change::PRICED, r, 0, 0, Interval{cost[r], 0});
            total += now - cost[r];
            cost[r] = now;
        }
    }
    // The LUTs of a row's adders. With `adders` they are appended, and values[n + r] is set.
    int tree(int r, std::vector<Adder> *adders) {
        int made = merge(r, adders, narrower);
        if (limit > 0 && made < 0)
            made = merge(r, adders, earlier);
        return made;
    }
    // Merges operands in the order `before`; -1 if the result is deeper than it may be.
    template <class Order> int merge(int r, std::vector<Adder> *adders, Order before) {
        operands.clear();
        for (const Term &t : rows[r]) {
            Operand x{bits[t.column], level[t.column], t.sign, t.column, range[t.column]};
            if (adders) {
                const Term value = values[t.column];
                x.id = value.column;
                x.sign *= value.sign;
            }
            operands.push_back(x);
        }
        if (operands.empty())
            return 0;
        const size_t mark = adders ? adders->size() : 0;
        const int id_mark = next_id;
        const int deepest = limit <= 0 ? 1 << 30 : r < m ? limit : least_level(r);
        std::sort(operands.begin(), operands.end(), before);
        int luts = 0;
        bool first = true;
        size_t head = 0;
        while (operands.size() - head > 1) {
            const size_t left = operands.size() - head;
            const int k = arity == 3 && (left % 2 || !first) ? 3 : 2; // an even count: one adder of two, then of three
            first = false;
            Operand x[3];
            bool any_positive = false;
            for (int i = 0; i < k; i++) {
                x[i] = operands[head++];
                any_positive |= x[i].sign > 0;
            }
            const int sign = any_positive ? 1 : -1; // a sum of negative terms alone is made of their opposites
            Operand y{0, 0, sign, -1, Interval{0, 0}};
            int widest = 0;
            bool equal = true;
            for (int i = 0; i < k; i++) {
                y.range = plus(y.range, x[i].range, x[i].sign * sign);
                y.level = std::max(y.level, x[i].level + 1);
                widest = std::max(widest, x[i].bits);
                equal &= x[i].bits == x[0].bits;
            }
            y.bits = bits_of(y.range);
            luts += std::min(y.bits, k == 2 ? widest + !equal : widest + 1);
            if (y.level > deepest) {
                if (adders)
                    adders->resize(mark);
                next_id = id_mark;
                return -1;
            }
            if (adders) {
                Adder adder{k, {0, 0, 0}, {0, 0, 0}};
                for (int i = 0; i < k; i++) {
                    adder.id[i] = x[i].id;
                    adder.sign[i] = x[i].sign * sign;
                }
                adders->push_back(adder);
                y.id = next_id++;
            }
            size_t place = operands.size();
            operands.push_back(y);
            for (; place > head && before(operands[place], operands[place - 1]); place--)
                std::swap(operands[place], operands[place - 1]);
        }
        const Operand &result = operands[head];
        if (r < m && result.sign < 0)
            luts += result.bits; // a negation
        if (adders)
            values[n + r] = Term{result.id, result.sign};
        return luts;
    }
    void visit(int r, std::vector<char> &visited, std::vector<Adder> &adders) {
        if (visited[r])
            return;
        visited[r] = 1;
        for (const Term &t : rows[r])
            if (t.column >= n)
                visit(t.column - n, visited, adders);
        tree(r, &adders);
    }

    // -- candidates

    // The rows that hold i + sign j (+ third) with the sign of i, and with its opposite.
    std::pair<word, word> rows_with(int i, int j, int sign, int third, int third_sign, int w) {
        word with = mask(i, 1)[w] & mask(j, sign)[w];
        word against = mask(i, -1)[w] & mask(j, -sign)[w];
        if (third >= 0) {
            with &= mask(third, third_sign)[w];
            against &= mask(third, -third_sign)[w];
        }
        return {with, against};
    }
    int count(int i, int j, int sign, int third = -1, int third_sign = 0) {
        int found = 0;
        for (int w = 0; w < used_words; w++) {
            const std::pair<word, word> both = rows_with(i, j, sign, third, third_sign, w);
            found += __builtin_popcountll(both.first) + __builtin_popcountll(both.second);
        }
        return found;
    }
    float pair_score(int found) {
        return arity == 2 ? float(found - 1) + random.tie() : float(found) * 0.5f - 1 + random.tie() * 0.5f;
    }
    float triple_score(int found) { return float(found - 1) + random.tie(); }
    void push(const Candidate &c) {
        heap.push_back(c);
        std::push_heap(heap.begin(), heap.end());
    }
    void offer(int i, int j, int sign) {
        const int found = count(i, j, sign);
        if (found < 2)
            return;
        const float score = arity == 2 ? pair_score(found) : triple_score(found);
        push(Candidate{score, std::min(i, j), std::max(i, j), -1, std::int8_t(sign), 0, arity == 2, found});
    }
    // Offers the pair with the third column that most of its rows hold.
    void expand(const Candidate &c) {
        touched.clear();
        for (int w = 0; w < used_words; w++) {
            const std::pair<word, word> both = rows_with(c.i, c.j, c.sign, -1, 0, w);
            for (int way : {0, 1})
                for (word rest = way ? both.second : both.first; rest; rest &= rest - 1) {
                    const int sign = way ? -1 : 1;
                    for (const Term &t : rows[w * 64 + __builtin_ctzll(rest)])
                        if (t.column != c.i && t.column != c.j) {
                            if (!held[0][t.column] && !held[1][t.column])
                                touched.push_back(t.column);
                            held[t.sign * sign < 0][t.column]++;
                        }
                }
        }
        int most = 1, best = -1, best_sign = 0, ties = 0;
        for (int column : touched)
            for (int opposite : {0, 1}) {
                const int found = held[opposite][column];
                held[opposite][column] = 0;
                if (found > most) {
                    most = found;
                    ties = 0;
                }
                if (found == most && most > 1 && random.below(++ties) == 0) {
                    best = column;
                    best_sign = opposite ? -1 : 1;
                }
            }
        if (best >= 0)
            push(Candidate{triple_score(most), c.i, c.j, best, c.sign, std::int8_t(best_sign), true, most});
    }
    // Offers all pairs of a column and those that stand beside it in some row.
    void offer_around(int column) {
        std::vector<int> beside;
        each_holder(column, [&](int r, int) {
            for (const Term &t : rows[r])
                if (t.column != column && !seen[t.column]) {
                    seen[t.column] = 1;
                    beside.push_back(t.column);
                }
        });
        for (int other : beside)
            seen[other] = 0;
        for (int other : beside) {
            offer(column, other, 1);
            offer(column, other, -1);
        }
    }
    // Makes i + sign j (+ third) a node of all rows that hold it. False if fewer than two do, or none may.
    bool extract(const Candidate &c) {
        holders.clear();
        for (int w = 0; w < used_words; w++) {
            const std::pair<word, word> both = rows_with(c.i, c.j, c.sign, c.third, c.third_sign, w);
            for (word rest = both.first; rest; rest &= rest - 1)
                holders.push_back({w * 64 + __builtin_ctzll(rest), 1});
            for (word rest = both.second; rest; rest &= rest - 1)
                holders.push_back({w * 64 + __builtin_ctzll(rest), -1});
        }
        if (holders.size() < 2)
            return false;
        const size_t undo_mark = log.size();
        const size_t size = c.third >= 0 ? 3 : 2;
        int node = -1, node_sign = 1; // a shared row that is exactly this sum is the node
        twins.clear();
        for (const std::pair<int, int> &h : holders)
            if (h.first >= m && rows[h.first].size() == size) {
                if (node < 0) {
                    node = h.first;
                    node_sign = h.second;
                } else
                    twins.push_back(h);
            }
        if (node < 0) {
            node = born();
            add(node, c.i, 1);
            add(node, c.j, c.sign);
            if (c.third >= 0)
                add(node, c.third, c.third_sign);
            set_range(node);
            mark(node);
        }
        const int column = n + node;
        for (const std::pair<int, int> &h : holders) {
            if (h.first == node || (h.first >= m && rows[h.first].size() == size))
                continue;
            take_out(h.first, c, h.second);
            add(h.first, column, h.second * node_sign);
            mark(h.first);
        }
        for (const std::pair<int, int> &twin : twins) { // rows that are the same sum: their users take the node
            const int sign = twin.second * node_sign;
            std::vector<std::pair<int, int>> users;
            each_holder(n + twin.first, [&](int r, int s) { users.push_back({r, s}); });
            for (const std::pair<int, int> &u : users) {
                remove(u.first, n + twin.first, u.second);
                add(u.first, column, u.second * sign);
                mark(u.first);
            }
            take_out(twin.first, c, twin.second);
            mark(twin.first);
            die(twin.first);
        }
        if (limit > 0) {
            bool fits = relevel(node);
            for (size_t k = 0; fits && k < holders.size(); k++)
                fits = !alive[holders[k].first] || relevel(holders[k].first);
            if (!fits) {
                undo_to(undo_mark);
                return false;
            }
        }
        offer_around(column);
        return true;
    }
    void take_out(int r, const Candidate &c, int sign) {
        remove(r, c.i, sign);
        remove(r, c.j, sign * c.sign);
        if (c.third >= 0)
            remove(r, c.third, sign * c.third_sign);
    }
    void greedy() {
        while (!heap.empty()) {
            Candidate c = heap.front();
            std::pop_heap(heap.begin(), heap.end());
            heap.pop_back();
            const int found = count(c.i, c.j, c.sign, c.third, c.third_sign);
            if (c.third >= 0) {
                const bool stale = found < c.found;
                if (!stale && !extract(c))
                    continue;
                const int pair = count(c.i, c.j, c.sign);
                if (pair < 2)
                    continue;
                const float score = triple_score(pair);
                push(Candidate{stale ? std::min(c.score, score) : score, c.i, c.j, -1, c.sign, 0, false, pair});
                continue;
            }
            if (found < 2)
                continue;
            const bool stale = found < c.found;
            c.found = found;
            if (!c.expanded && stale) {
                c.score = triple_score(found);
                push(c);
            } else if (!c.expanded) {
                expand(c);
                if (found >= 3) { // a pair of its own saves half an adder of three per row
                    c.expanded = true;
                    c.score = pair_score(found);
                    push(c);
                }
            } else if (stale) {
                c.score = pair_score(found);
                if (arity == 2 || found >= 3)
                    push(c);
            } else
                extract(c);
        }
    }

    // -- moves

    void dissolve(int r) {
        const std::vector<Term> terms = rows[r];
        std::vector<std::pair<int, int>> users;
        each_holder(n + r, [&](int user, int sign) { users.push_back({user, sign}); });
        for (const std::pair<int, int> &u : users) {
            remove(u.first, n + r, u.second);
            for (const Term &t : terms)
                add(u.first, t.column, u.second * t.sign);
            mark(u.first);
        }
        for (const Term &t : terms)
            remove(r, t.column, t.sign);
        mark(r);
        die(r);
    }
    // A shared node: any, or one beside what was dissolved in this move.
    int pick(int mode) {
        for (int attempt = 0; attempt < 40; attempt++) {
            int r;
            if (mode == 0 || changed.empty()) {
                r = m + random.below(int(rows.size()) - m);
            } else {
                const int beside = changed[size_t(random.below(int(changed.size())))];
                if (!alive[beside] || rows[beside].empty())
                    continue;
                const int column = rows[beside][size_t(random.below(int(rows[beside].size())))].column;
                if (mode == 1) {
                    r = column - n;
                } else {
                    int skip = random.below(uses(column));
                    r = -1;
                    each_holder(column, [&](int user, int) {
                        if (skip-- == 0)
                            r = user;
                    });
                }
            }
            if (r >= m && alive[r] && !rows[r].empty())
                return r;
        }
        return -1;
    }
    void try_move(double temperature) {
        logging = true;
        log.clear();
        const wide before = total;
        const int mode = random.below(3), wanted = 1 + random.below(DISSOLVED);
        int dissolved = 0;
        for (; dissolved < wanted; dissolved++) {
            const int r = pick(mode);
            if (r < 0)
                break;
            dissolve(r);
        }
        bool fits = dissolved > 0;
        if (fits && limit > 0)
            for (size_t k = 0; fits && k < changed.size(); k++)
                fits = !alive[changed[k]] || relevel(changed[k]);
        if (fits) {
            mend();
            if (limit > 0)
                for (size_t k = 0; fits && k < changed.size(); k++)
                    fits = !alive[changed[k]] || relevel(changed[k]);
        }
        if (fits) {
            for (size_t k = 0; k < changed.size(); k++)
                price(changed[k]);
            fits = arity == 2 || fill_operands();
        }
        forget_changes();
        const double allowed = temperature > 0 ? -temperature * std::log(std::max(1e-12, random.unit())) : 0;
        if (!fits || double(total) > double(before) + allowed)
            undo_to(0);
        log.clear();
        logging = false;
    }
    // Shares again what the changed rows have in common, and dissolves nodes of one user or one term.
    void mend() {
        pairs.clear();
        for (int r : changed)
            if (alive[r])
                for (size_t a = 0; a < rows[r].size(); a++)
                    for (size_t b = a + 1; b < rows[r].size(); b++) {
                        const Term x = rows[r][a], y = rows[r][b];
                        const word key = word(std::min(x.column, y.column)) << 32 |
                                         word(std::max(x.column, y.column)) << 1 | word(x.sign == y.sign);
                        if (pairs.insert(key).second)
                            offer(x.column, y.column, x.sign * y.sign);
                    }
        greedy();
        for (size_t k = 0; k < changed.size(); k++) {
            const int r = changed[k];
            if (r >= m && alive[r] && (uses(n + r) <= 1 || rows[r].size() <= 1))
                dissolve(r);
        }
    }
    // Dissolves small nodes whose users have adders with an operand to spare. False if an output became too deep.
    bool fill_operands() {
        const std::vector<int> before = changed;
        for (int r : before) {
            if (r < m || !alive[r] || rows[r].size() > 3)
                continue;
            int more = 0;
            std::vector<int> users;
            each_holder(n + r, [&](int user, int) {
                const size_t terms = rows[user].size();
                more += int((terms - 1 + rows[r].size()) / 2 - terms / 2);
                users.push_back(user);
            });
            if (more * 10 >= cost[r])
                continue;
            dissolve(r);
            price(r);
            for (int user : users) {
                if (limit > 0 && !relevel(user))
                    return false;
                price(user);
            }
        }
        return true;
    }
};

} // namespace

// `matrix`: (outputs, inputs) of -1, 0, 1. Writes adders as (operands, id, sign, id, sign, id, sign) and outputs as
// (id, sign). Negative `moves`: nothing is shared. Returns the number of adders, or -1 if memory does not suffice.
extern "C" int crq_adder_graph(int inputs, int outputs, const std::int64_t *low, const std::int64_t *high,
                               const std::int8_t *matrix, int arity, int limit, std::uint64_t seed, std::int64_t moves,
                               double seconds, std::int32_t *adders, std::int32_t *results) {
    try {
        Solver solver(inputs, outputs, low, high, matrix, arity, limit, seed, moves >= 0);
        if (moves >= 0)
            solver.search(moves, seconds);
        std::vector<Adder> made;
        std::vector<Term> ends;
        solver.emit(made, ends);
        for (size_t k = 0; k < made.size(); k++) {
            std::int32_t *out = adders + 7 * k;
            out[0] = made[k].operands;
            for (int i = 0; i < 3; i++) {
                out[1 + 2 * i] = made[k].id[i];
                out[2 + 2 * i] = made[k].sign[i];
            }
        }
        for (size_t o = 0; o < ends.size(); o++) {
            results[2 * o] = ends[o].column;
            results[2 * o + 1] = ends[o].sign;
        }
        return int(made.size());
    } catch (const std::bad_alloc &) { // no exception passes the C interface
        return -1;
    }
}
