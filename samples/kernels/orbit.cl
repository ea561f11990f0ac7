// Bodies on a line, each pulled to 0 by a spring. The host has the same struct and the same arithmetic.
struct body {
    float position, speed;
    int owner;     // who has pushed it last
    uint steps;    // how often it has moved
};

kernel void advance(global struct body *bodies, float seconds) {
    global struct body *body = bodies + get_global_id(0);
    body->speed -= body->position * seconds;
    body->position += body->speed * seconds;
    body->steps += 1;
}
