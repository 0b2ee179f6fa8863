//! Files of `chat` that a target compiles into itself: `chat` is a program, so none of it can be called from outside.

macro_rules! files_of_chat {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[path = $path]
            #[allow(dead_code, unused_imports, reason = "chat needs the rest")]
            mod $name;
        )*
    };
}
