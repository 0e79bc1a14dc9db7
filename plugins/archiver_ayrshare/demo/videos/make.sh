#!/bin/sh
# How the little films were made, once, with ffmpeg 5.1: two seconds each, H.264 baseline in
# yuv420p with the index in front, so that every browser plays them while they load.
# They are shipped as they are; the program never needs ffmpeg.
set -eu
cd "$(dirname "$0")"

film() { # name size bitrate seed colours…
    ffmpeg -v error -y \
        -f lavfi -i "gradients=s=$2:d=2:r=12:c0=$5:c1=$6:c2=$7:n=3:speed=0.02:seed=$4" \
        -c:v libx264 -profile:v baseline -pix_fmt yuv420p -preset veryslow \
        -b:v "$3" -maxrate "$3" -bufsize "$3" -an \
        -movflags +faststart -fflags +bitexact -flags:v +bitexact -map_metadata -1 "$1.mp4"
}

film small 480x270 60k 7 0x1b4965 0xffb703 0xfb8500
film medium 640x360 120k 7 0x1b4965 0xffb703 0xfb8500
film large 1280x720 250k 7 0x1b4965 0xffb703 0xfb8500
film portrait 360x640 120k 11 0x264653 0xe9c46a 0xe76f51

# the same as medium.mp4 in four fragments, as a playlist lists them; without the index of them all,
# which ends such a file
ffmpeg -v error -y -i medium.mp4 -c copy -fflags +bitexact \
    -movflags +empty_moov+default_base_moof -frag_duration 500000 segments.mp4
truncate -s -124 segments.mp4
